package oauth

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

const (
	decisionSuffix = "/decision" // of the authorization endpoint's path
	askedField     = "request"   // the hidden member of the consent page
	consentTime    = 10 * time.Minute
	codeLifetime   = time.Minute // RFC 6749 §4.1.2 allows ten
)

// A sealedAsked is a request that is waiting for the person's answer. It travels through
// the page, sealed for the session that was asked: nothing is kept here, a page of
// somebody else's cannot be answered, and nobody can make the page for another.
type sealedAsked struct {
	ID        string    `json:"id"` // it is answered once
	Until     time.Time `json:"until"`
	Client    string    `json:"client"`
	Redirect  string    `json:"redirect"`
	Named     bool      `json:"named,omitzero"`
	State     string    `json:"state,omitzero"`
	Scopes    string    `json:"scopes"`
	Challenge string    `json:"challenge,omitzero"`
	Nonce     string    `json:"nonce,omitzero"`
	Resource  string    `json:"resource,omitzero"`
	DPoP      string    `json:"dpop,omitzero"`
	Pushed    string    `json:"pushed,omitzero"` // hexadecimal
}

// errAnswered: the page was answered already, or too late, or by somebody else.
var errAnswered = refuse(codeInvalidRequest, "this question was answered already, or is too old")

// sealAsked seals a request for a session.
func (s *Server) sealAsked(a *asked, session string, now time.Time) (string, error) {
	out := sealedAsked{
		ID: secret.NewID("ask_"), Until: now.Add(consentTime), Client: a.client.id(), Redirect: a.redirect, Named: a.named,
		State: a.state, Scopes: a.scopes.text, Challenge: a.challenge, Nonce: a.nonce, Resource: a.resource, DPoP: a.dpop,
	}
	if a.isPushed {
		out.Pushed = hex.EncodeToString(a.pushed[:])
	}
	text, err := json.Marshal(&out)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.sealer.Seal("consent|"+session, text)), nil
}

// openAsked opens what sealAsked sealed for the same session.
func (s *Server) openAsked(text, session string, now time.Time) (sealedAsked, error) {
	var out sealedAsked
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return out, errAnswered
	}
	plain, err := s.sealer.Open("consent|"+session, sealed)
	if err != nil || json.Unmarshal(plain, &out) != nil || !now.Before(out.Until) {
		return sealedAsked{}, errAnswered
	}
	return out, nil
}

// decide takes the answer of a consent page.
func (s *Server) decide(w http.ResponseWriter, r *request) {
	a, who, asked, err := s.readDecision(r)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	switch r.params.get("decision") {
	case "allow":
		s.sendCode(w, r, a, who, &asked)
	case "deny":
		s.sendDenial(w, r, a, who, &asked)
	default:
		s.errorPage(w, r, errParameters)
	}
}

// readDecision reads an answer, which must come from a page of ours, from the person who
// was asked. The client is looked up again: it may be gone by now.
func (s *Server) readDecision(r *request) (*asked, people.Session, sealedAsked, error) {
	none := people.Session{}
	if s.protection.Check(r.Request) != nil {
		return nil, none, sealedAsked{}, errForeignForm
	}
	var err error
	if r.params, err = readParams(r.Request, false); err != nil {
		return nil, none, sealedAsked{}, err
	}
	who, signedIn, err := s.session(r.Context(), r)
	if err != nil {
		return nil, none, sealedAsked{}, err
	}
	if !signedIn {
		return nil, none, sealedAsked{}, errAnswered
	}
	sealed, err := s.openAsked(r.params.get(askedField), who.ID, r.now)
	if err != nil {
		return nil, none, sealedAsked{}, err
	}
	a, err := s.reopen(r.Context(), r, sealed)
	if err == nil {
		err = a.narrow(who.Member.Role)
	}
	return a, who, sealed, err
}

// errForeignForm: the form was not one of ours.
var errForeignForm = &Error{Code: codeInvalidRequest, Description: "the answer did not come from this site", status: http.StatusForbidden}

// reopen makes a request of its sealed form, checking what may have changed since.
func (s *Server) reopen(ctx context.Context, r *request, sealed sealedAsked) (*asked, error) {
	q := query{params: params{list: []param{{"redirect_uri", sealed.Redirect}}}}
	c, err := s.client(ctx, r.contract, sealed.Client)
	switch {
	case err != nil:
		return nil, err
	case c == nil || !c.good(r.now) || c.isRow():
		return nil, errUnknownClient
	}
	a := &asked{client: c, state: sealed.State, maxAge: -1}
	if err := a.proveRedirect(&q); err != nil {
		return nil, err
	}
	a.named, a.challenge, a.nonce, a.resource, a.dpop = sealed.Named, sealed.Challenge, sealed.Nonce, sealed.Resource, sealed.DPoP
	if a.scopes, err = chooseScopes(r.contract, sealed.Scopes, c.scopes, c.defaults); err != nil {
		return nil, err
	}
	if sealed.Pushed != "" {
		hash, err := hex.DecodeString(sealed.Pushed)
		if err != nil || len(hash) != len(a.pushed) {
			return nil, errAnswered
		}
		a.pushed, a.isPushed = secret.Hash(hash), true
	}
	return a, nil
}

// spendAsked uses up what a request may be used for once: its question and what it was
// pushed under.
func spendAsked(ctx context.Context, tx *store.Tx, a *asked, sealed *sealedAsked) error {
	if sealed != nil {
		first, err := tx.Remember(ctx, "consent", sealed.ID, sealed.Until)
		if err != nil {
			return err
		}
		if !first {
			return errAnswered
		}
	}
	if a.isPushed {
		_, first, err := tx.ConsumePushed(ctx, a.pushed)
		if err != nil {
			return err
		}
		if !first {
			return errRequestURI
		}
	}
	return nil
}

// sendDenial tells the client that the person said no.
func (s *Server) sendDenial(w http.ResponseWriter, r *request, a *asked, who people.Session, sealed *sealedAsked) {
	ctx := r.Context()
	_, err := s.store.Update(ctx, r.actor("member", who.Member.ID), func(tx *store.Tx) error {
		if err := spendAsked(ctx, tx, a, sealed); err != nil {
			return err
		}
		tx.Audit(store.Event{
			Action: "consent.refuse", TargetType: "client", TargetID: a.client.id(), Organization: who.Organization.ID,
			Detail: consentDetail{Client: a.client.id(), Scopes: r.contract.ScopeNames(a.scopes.set)},
		})
		return nil
	})
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	s.sendError(w, r, a, errDenied)
}

// sendCode issues an authorization code and sends it to the client. sealed is the
// question that the person has answered, nil when they were not asked.
func (s *Server) sendCode(w http.ResponseWriter, r *request, a *asked, who people.Session, sealed *sealedAsked) {
	text, err := s.issueCode(r.Context(), r, a, who, sealed)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	s.sendBack(w, r, a, []param{{"code", text.Reveal()}})
}

// A codeDetail is what the audit log says of an authorization code.
type codeDetail struct {
	Consent   string    `json:"consent"`
	Client    string    `json:"client"`
	Scopes    []string  `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at"`
	Asked     bool      `json:"asked"` // whether the person was asked this time
}

// issueCode stores consent, code and their audit events in one transaction.
func (s *Server) issueCode(ctx context.Context, r *request, a *asked, who people.Session, sealed *sealedAsked) (secret.Secret, error) {
	text := secret.New(secret.ShapePrefix, codePrefix)
	g := granting{client: a.client, who: who, scopes: a.scopes.set, asked: sealed != nil, lifetime: r.contract.Clients().ConsentLifetime}
	changes, err := s.store.Update(ctx, r.actor("member", who.Member.ID), func(tx *store.Tx) error {
		if err := spendAsked(ctx, tx, a, sealed); err != nil {
			return err
		}
		consent, err := g.grant(ctx, tx, r.contract)
		if err != nil {
			return err
		}
		code := store.Code{
			Hash: text.Hash(), Client: consent.Client, Member: who.Member.ID, Organization: consent.Organization,
			Environment: a.client.env.Name, Consent: consent.ID, Scopes: r.contract.ScopeNames(a.scopes.set),
			Challenge: a.challenge, Nonce: a.nonce, Resource: a.resource, DPoP: a.dpop, AuthTime: who.AuthTime,
			ExpiresAt: tx.Now().Add(codeLifetime),
		}
		if a.named {
			code.RedirectURI = a.redirect
		}
		tx.Audit(store.Event{
			Action: "code.issue", TargetType: "consent", TargetID: consent.ID, Organization: consent.Organization,
			Detail: codeDetail{Consent: consent.ID, Client: consent.Client, Scopes: code.Scopes, ExpiresAt: code.ExpiresAt, Asked: sealed != nil},
		})
		return tx.InsertCode(ctx, code)
	})
	if err != nil {
		return secret.Secret{}, err
	}
	s.apply(changes)
	return text, nil
}

// codePrefix begins authorization codes, so that scanners of logs know one.
const codePrefix = "ac_"
