package oauth

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// pushedPrefix begins the request_uri of a pushed request: RFC 9126 §2.2.
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// Lifetimes of a pushed request.
const (
	pushedLifetime = 90 * time.Second // until a browser must have come with it
	pushedKept     = againAge         // until that browser must have come back from signing in
)

// pushesPerAddr is how many requests one address may push in a minute for clients that
// prove nothing: each of them is a row and an audit event.
const pushesPerAddr = 30

// Errors of pushed requests.
var (
	errNested     = refuse(codeInvalidRequest, "request_uri cannot be pushed")
	errNotPushing = refuse(codeUnauthorizedClient, "the application may not push requests")
)

// push serves the pushed authorization request endpoint: RFC 9126 §2. The request is
// checked here as it would be when a browser brought it.
func (s *Server) push(w http.ResponseWriter, r *request) {
	ctx := r.Context()
	if err := s.readForm(ctx, r); err != nil {
		s.fail(w, r, err)
		return
	}
	text, err := s.storePushed(ctx, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, http.StatusCreated, object{
		{"request_uri", pushedPrefix + text.Reveal()}, {"expires_in", int(pushedLifetime / time.Second)},
	})
}

// storePushed checks the request and stores it.
func (s *Server) storePushed(ctx context.Context, r *request) (secret.Secret, error) {
	none := secret.Secret{}
	c := r.caller.client
	q := query{params: r.params, isPushed: true}
	switch {
	case c == nil || c.MetadataURL != "" || !c.may(contract.GrantAuthorizationCode):
		return none, errNotPushing
	case q.get("request_uri") != "":
		return none, errNested
	case r.caller.method == contract.ClientNone && !s.starts.take("push "+addressKey(r.address), pushesPerAddr, r.now):
		return none, errThrottled // anybody can say that they are such a client
	}
	q.list = append(withoutAuthentication(q.list), param{"client_id", c.id()})
	if err := s.addProof(r, &q); err != nil {
		return none, err
	}
	a, err := s.prove(ctx, r, &q)
	if err != nil {
		return none, err
	}
	if err := s.examine(ctx, r, &q, a); err != nil {
		return none, err
	}
	parameters, err := packParams(q.list)
	if err != nil {
		return none, err
	}
	text := secret.New(secret.ShapePrefix, "")
	return text, s.insertPushed(ctx, r, store.PushedRequest{
		Hash: text.Hash(), Client: c.id(), Parameters: parameters, CreatedAt: r.now, ExpiresAt: r.now.Add(pushedKept),
	})
}

// insertPushed stores a pushed request and its audit event.
func (s *Server) insertPushed(ctx context.Context, r *request, p store.PushedRequest) error {
	changes, err := s.store.Update(ctx, r.actor("client", p.Client), func(tx *store.Tx) error {
		tx.Audit(store.Event{
			Action: "request.push", TargetType: "client", TargetID: p.Client, Organization: r.caller.organization(),
		})
		return tx.InsertPushed(ctx, p)
	})
	if err == nil {
		s.apply(changes)
	}
	return err
}

// addProof binds the request to the key of a DPoP proof that came with it, which says
// the same as dpop_jkt: RFC 9449 §10.1.
func (s *Server) addProof(r *request, q *query) error {
	thumbprint, err := s.proof(r)
	if err != nil || thumbprint == "" {
		return err
	}
	switch named := q.get("dpop_jkt"); named {
	case "":
		q.list = append(q.list, param{"dpop_jkt", thumbprint})
	case thumbprint:
	default:
		return errOtherKey
	}
	return nil
}

var errOtherKey = refuse(codeInvalidDPoPProof, "the proof is of another key than dpop_jkt names")

// withoutAuthentication returns the parameters without what proves who the client is,
// and without its name, which is added anew.
func withoutAuthentication(list []param) []param {
	var out []param
	for _, p := range list {
		if p.name != "client_id" && p.name != "client_secret" && p.name != againParameter && !strings.HasPrefix(p.name, "client_assertion") {
			out = append(out, p)
		}
	}
	return out
}

// packParams returns parameters as a JSON array of pairs.
func packParams(list []param) ([]byte, error) {
	pairs := make([][2]string, len(list))
	for i, p := range list {
		pairs[i] = [2]string{p.name, p.value}
	}
	return json.Marshal(pairs)
}

// unpackParams reads what packParams wrote.
func unpackParams(text []byte) (params, error) {
	var pairs [][2]string
	if err := json.Unmarshal(text, &pairs); err != nil {
		return params{}, err
	}
	var p params
	for _, pair := range pairs {
		p.list = append(p.list, param{pair[0], pair[1]})
	}
	return p, nil
}

// pushedRequest returns the request that a client pushed and nobody has used. again is the seal
// of somebody who came with it in time and was sent to sign in.
func (s *Server) pushedRequest(ctx context.Context, r *request, hash secret.Hash, client, again string) (params, error) {
	p, err := s.store.Pushed(ctx, hash)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound:
		return params{}, errRequestURI
	case err != nil:
		return params{}, err
	case p.Client != client || !p.UsedAt.IsZero() || !r.now.Before(p.ExpiresAt):
		return params{}, errRequestURI
	}
	end := p.CreatedAt.Add(pushedLifetime)
	if at, ok := s.openAgain(client, again, r.now); !r.now.Before(end) && (!ok || !at.Before(end)) {
		return params{}, errRequestURI
	}
	return unpackParams(p.Parameters)
}
