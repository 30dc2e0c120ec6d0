package oauth

import (
	"errors"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/token"
)

// Errors of proofs of possession: RFC 9449 §5.
var (
	errProof   = refuse(codeInvalidDPoPProof, "the DPoP proof is not one for this request")
	errNoProof = refuse(codeInvalidDPoPProof, "a DPoP proof is required")
	errBound   = refuse(codeInvalidGrant, "the grant is bound to another key")
)

// maxProofs bounds the proofs remembered at a time.
const maxProofs = 1 << 16

// bind finds out which key the token is bound to: the one that made the proof which came
// with the request. What was bound to a key stays bound to it (RFC 9449 §10, §5).
func (s *Server) bind(r *request, t *ticket) error {
	jkt, err := s.proof(r)
	if err != nil {
		return err
	}
	if t.bound != "" && t.bound != jkt {
		if jkt == "" {
			return errNoProof
		}
		return errBound
	}
	if jkt == "" && r.needsProof() {
		return errNoProof
	}
	t.proof = jkt
	return nil
}

// needsProof reports whether the caller gets no bearer tokens.
func (r *request) needsProof() bool {
	terms, c := r.contract.Clients(), r.caller.client
	if terms == nil || c == nil {
		return false
	}
	return terms.DPoP == contract.DPoPRequired || terms.DPoP == contract.DPoPOptional && c.DPoPRequired
}

// proof returns the thumbprint of the key that proves possession, "" when nobody tries.
// A contract without DPoP does not look at proofs, and says so in its metadata.
func (s *Server) proof(r *request) (string, error) {
	terms := r.contract.Clients()
	if terms == nil || terms.DPoP == contract.DPoPOff || terms.DPoP == "" {
		return "", nil
	}
	text, err := token.ProofHeader(r.Header)
	if err != nil {
		return "", errProof
	}
	if text == "" {
		return "", nil
	}
	jkt, err := token.VerifyProof(text, token.Proof{
		Method: r.Method, URL: r.origin + r.URL.EscapedPath(), Now: r.now, Seen: s.proofs.Seen,
	})
	if errors.Is(err, token.ErrReplayed) {
		return "", refuse(codeInvalidDPoPProof, "the DPoP proof was used before")
	}
	if err != nil {
		return "", errProof
	}
	return jkt, nil
}
