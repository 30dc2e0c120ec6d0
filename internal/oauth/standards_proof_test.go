package oauth

import (
	"testing"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// TestPushedRequestsAreBoundByTheirProof holds RFC 9449 §10.1: a proof with a pushed
// request says what dpop_jkt says; where both are there they agree; and the code is good
// with that key only.
func TestPushedRequestsAreBoundByTheirProof(t *testing.T) {
	w := full(t)
	c := w.register(public)
	b := w.signedIn(w.member())
	p, thief := newProver(t), newProver(t)
	push := func(proof string, pairs ...string) answered {
		r := w.form("/oauth/par", append(append([]string{"client_id", c.id(), "prompt", "consent"}, goodPush...), pairs...)...)
		if proof == "" {
			return w.do(r)
		}
		return prove(w, r, proof)
	}
	here := func(p prover) string { return p.proof(w, token.Member{Name: "htu", Value: w.http.URL + "/oauth/par"}) }
	push(p.proof(w)).want(400, "invalid_dpop_proof") // made for the token endpoint
	push(here(p), "dpop_jkt", thief.thumbprint).want(400, "invalid_dpop_proof")
	for name, pushed := range map[string]answered{
		"proof": push(here(p)), "both": push(here(p), "dpop_jkt", p.thumbprint), "dpop_jkt": push("", "dpop_jkt", p.thumbprint),
	} {
		q := b.allow(b.get(pushedURL(c, pushed.want(201, "").text("request_uri")))).goesTo(callback)
		redeem := func(proofs ...string) answered {
			return prove(w, w.form("/oauth/token", "client_id", c.id(), "grant_type", "authorization_code", "code", q.Get("code"),
				"redirect_uri", callback, "code_verifier", verifier), proofs...)
		}
		if a := redeem(); a.status == 200 {
			t.Errorf("%s: the code is good without the key", name)
		}
		if a := redeem(thief.proof(w)); a.status == 200 {
			t.Errorf("%s: the code is good with another key", name)
		}
		redeem(p.proof(w)).want(200, "")
	}
}

// TestIntrospectionNamesTheKey holds RFC 9449 §6.2: a resource server that asks learns
// which key a token is bound to, and must not take it for a bearer token.
func TestIntrospectionNamesTheKey(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			w := full(t, changes...)
			c, p := w.register(), newProver(t)
			request := func() answered {
				return prove(w, w.form("/oauth/token", "grant_type", "client_credentials", "client_id", c.id(), "client_secret", c.secret.Reveal()), p.proof(w))
			}
			a := w.ask(c, request().want(200, "").text("access_token")).want(200, "")
			cnf, _ := a.json["cnf"].(map[string]any)
			if a.json["active"] != true || a.text("token_type") != "DPoP" || cnf["jkt"] != p.thumbprint {
				t.Errorf("answered %s", a.body)
			}
		})
	}
}

// TestPushedRequestsAreJudgedAgain holds RFC 9126 §4: what a client loses after it has
// pushed is lost when the browser comes.
func TestPushedRequestsAreJudgedAgain(t *testing.T) {
	w := full(t)
	c := w.register()
	b := w.signedIn(w.member())
	uri := w.pushAs(c, "scope", "read write").want(201, "").text("request_uri")
	b.get(pushedURL(c, uri)).asks()
	w.change(func(tx *store.Tx) error {
		c.Credential.Scopes = []string{"read"}
		return tx.UpdateClient(t.Context(), c.Client)
	})
	b.get(pushedURL(c, uri)).errs("invalid_scope")
	w.change(func(tx *store.Tx) error {
		c.Credential.Scopes, c.RedirectURIs = []string{"read", "write"}, []string{callback + "/new"}
		return tx.UpdateClient(t.Context(), c.Client)
	})
	b.get(pushedURL(c, uri)).refuses(400)
}
