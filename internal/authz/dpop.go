package authz

import (
	"errors"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/token"
)

// possession ends step 4: a token that is bound to a key is good only together with a
// proof that the sender has the key (RFC 9449 §7), and a token that is not bound is not
// sent as if it were. That a bound token is refused as Bearer is what the binding is for.
func (j *judgement) possession() cardea.Reason {
	bound := ""
	if t := j.entry.token(); t != nil {
		bound = t.jkt
	}
	switch {
	case bound == "" && !j.scheme.proof, j.scheme.bare:
		return pass
	case bound == "":
		j.fault = faultUnbound
	case !j.scheme.proof:
		j.fault = faultBound
	default:
		if j.fault = j.proof(bound); j.fault == sound {
			return pass
		}
	}
	return j.stranger()
}

// proof checks the proof of possession that came with the request. The token is known to
// be good, so only those who have one can fill the memory of used proofs.
func (j *judgement) proof(bound string) fault {
	text, err := token.ProofHeader(j.req.Header)
	if err != nil || text == "" {
		return faultProof
	}
	path, _, _ := strings.Cut(j.req.Target, "?")
	_, err = token.VerifyProof(text, token.Proof{
		Method: j.req.Method, URL: j.a.origin(j.req) + path, Now: j.now,
		AccessToken: j.text, Thumbprint: bound, Seen: j.a.proofs.Seen,
	})
	switch {
	case err == nil:
		return sound
	case errors.Is(err, token.ErrReplayed):
		return faultReplayed
	}
	return faultProof
}

// origin returns scheme, host and port that the client has sent the request to, as far as
// they are known: the host is the one that the client named, and the scheme the one that a
// trusted proxy tells, or the connection's own.
func (a *Authorizer) origin(r *cardea.Request) string {
	if a.cfg.Origin != nil {
		return a.cfg.Origin(r)
	}
	return target.Scheme(r.Peer, r.Header, r.TLS, a.cfg.TrustedProxies) + "://" + r.Host
}
