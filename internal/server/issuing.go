package server

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// issuing are the parts that several doors share when tokens are issued and verified and
// other servers are asked.
type issuing struct {
	fetch   *fetch.Client
	issuers *token.Cache
	hooks   *hook.Asker
	hasher  *password.Hasher
}

// hookKeyLabel separates the key that requests to hooks are signed with from the other
// uses of the master key.
const hookKeyLabel = "cardea hook signature"

// hookKey returns the key that requests to hooks are signed with.
func hookKey(master []byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, master, nil, hookKeyLabel, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("key for hooks: %w", err)
	}
	return key, nil
}

// issuing makes the shared parts.
func (s *Server) issuing(c Config, master []byte, sealer *secret.Sealer) (*issuing, error) {
	sign, err := hookKey(master)
	if err != nil {
		return nil, err
	}
	outward := fetch.New(c.Fetch)
	s.keys = signing.New(signing.Config{
		Store: s.store, Sealer: sealer, Contract: s.contract.get, Apply: s.forget, Now: s.now, Logger: s.log,
	})
	return &issuing{
		fetch:   outward,
		issuers: token.NewCache(token.CacheConfig{Fetch: outward, Now: s.now, Logger: s.log}),
		hooks:   hook.New(hook.Config{Fetch: outward, Sign: sign, Now: s.now, Logger: s.log}),
		hasher:  password.New(password.Config{Params: c.Passwords}),
	}, nil
}

// forget makes everybody who keeps something in memory forget what changed. It is called
// after the commit and before a change is called done.
func (s *Server) forget(changes store.Changes) {
	s.authorizer.Apply(changes)
	s.oauth.Apply(changes)
	s.keys.Applied(changes)
}

// memberOf returns the person that a session's token stands for.
func (s *Server) memberOf(ctx context.Context, text string) (cardea.Actor, bool, error) {
	session, ok, err := s.people.Session(ctx, text)
	if err != nil || !ok {
		return cardea.Actor{}, false, err
	}
	// The company's own people are more than members, which that door refuses.
	actor, err := s.manager.Actor(ctx, session.Member, session.Organization)
	return actor, err == nil, nil
}

// origin returns where endpoints are that the contract gives no host: at the listener
// itself, the one over TLS if there is one.
func (s *Server) origin() string {
	if at := s.tls.address(); at != "" {
		return "https://" + at
	}
	return "http://" + s.api.address()
}
