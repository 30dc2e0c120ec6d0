package oauth

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
)

// prove finds the client and the redirect URI of a request. Until both are known its
// errors are shown to the person and sent nowhere: RFC 6749 §4.1.2.1.
func (s *Server) prove(ctx context.Context, r *request, q *query) (*asked, error) {
	for _, name := range []string{"client_id", "redirect_uri", "request_uri"} {
		if slices.Contains(q.repeated, name) {
			return nil, errRepeated
		}
	}
	c, err := s.client(ctx, r.contract, q.get("client_id"))
	switch {
	case err != nil:
		return nil, err
	case c == nil || !c.good(r.now) || c.isRow():
		return nil, errUnknownClient
	}
	a := &asked{client: c, state: q.get("state"), pushed: q.pushed, isPushed: q.isPushed, maxAge: -1}
	if slices.Contains(q.repeated, "state") {
		a.state = ""
	}
	return a, a.proveRedirect(q)
}

// examine checks the rest of a request. Its errors go to the client.
func (s *Server) examine(_ context.Context, r *request, q *query, a *asked) (err error) {
	// What decides how an error is told comes first.
	if err := a.readPrompts(q); err != nil {
		return err
	}
	if err := a.readTerms(q); err != nil {
		return err
	}
	if err := a.readChallenge(r.contract, q); err != nil {
		return err
	}
	if a.scopes, err = chooseScopes(r.contract, q.get("scope"), a.client.scopes, a.client.defaults); err != nil {
		return err
	}
	if a.scopes.set.IsEmpty() {
		return errScope
	}
	if a.resource, err = checkResource(r.contract, r.origin, q.all("resource")); err != nil {
		return err
	}
	if a.dpop = q.get("dpop_jkt"); a.dpop != "" && !isSHA256(a.dpop) {
		return errThumbprint
	}
	return nil
}

// againParameter carries, in the address that people come back to after signing in, when
// they were sent there.
const againParameter = "signed_in_after"

// againAge is how long somebody may take to sign in.
const againAge = time.Hour

// sealAgain seals an instant for the way to the sign-in page and back. It is sealed so
// that an application cannot say by itself that the person has just signed in.
func (s *Server) sealAgain(client string, at time.Time) string {
	text := strconv.FormatInt(at.UnixMicro(), 10)
	return base64.RawURLEncoding.EncodeToString(s.sealer.Seal("authorize again|"+client, []byte(text)))
}

// openAgain returns the instant, false when there is none that is worth anything.
func (s *Server) openAgain(client, text string, now time.Time) (time.Time, bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || text == "" {
		return time.Time{}, false
	}
	plain, err := s.sealer.Open("authorize again|"+client, sealed)
	if err != nil {
		return time.Time{}, false
	}
	micros, err := strconv.ParseInt(string(plain), 10, 64)
	at := time.UnixMicro(micros)
	return at, err == nil && !now.Before(at) && now.Sub(at) <= againAge
}

// tooOld reports whether the person has to sign in again: because prompt=login or
// max_age says so, and they have not done it since they were last sent to.
func (s *Server) tooOld(r *request, q *query, a *asked, who people.Session) bool {
	if at, ok := s.openAgain(a.client.id(), q.get(againParameter), r.now); ok && !who.AuthTime.Before(at) {
		return false
	}
	return a.prompt.login || a.maxAge >= 0 && r.now.Sub(who.AuthTime) > a.maxAge
}

// unpack replaces the parameters of a request by those that were pushed under its
// request_uri (RFC 9126 §4), if it has one of ours.
func (s *Server) unpack(ctx context.Context, r *request, q query) (query, error) {
	text, ours := strings.CutPrefix(q.get("request_uri"), pushedPrefix)
	if !ours || slices.Contains(q.repeated, "request_uri") || slices.Contains(q.repeated, "client_id") {
		return q, nil
	}
	hash, again := secret.HashOf(text), q.get(againParameter)
	p, err := s.pushedRequest(ctx, r, hash, q.get("client_id"), again)
	if err != nil {
		return query{}, err
	}
	if again != "" {
		p.list = append(p.list, param{againParameter, again})
	}
	return query{params: p, pushed: hash, isPushed: true, sent: q.list}, nil
}
