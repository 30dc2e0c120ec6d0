package people

import (
	"context"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// From is where a request comes from, for throttles, audit events and the list of
// sessions.
type From struct {
	Address   netip.Addr
	UserAgent string
	RequestID string
}

// The types of actor: see [cardea.Actor].
const (
	actorMember = "member"
	actorSystem = "system"
)

// member returns the actor that a member is.
func (f From) member(id string) cardea.Actor { return f.actor(actorMember, id) }

// nobody returns the actor of what is done for somebody who is not known.
func (f From) nobody() cardea.Actor { return f.actor(actorSystem, "sign-in") }

func (f From) actor(kind, id string) cardea.Actor {
	return cardea.Actor{Type: kind, ID: id, Address: f.address(), RequestID: f.RequestID}
}

func (f From) address() string {
	if !f.Address.IsValid() {
		return ""
	}
	return f.Address.Unmap().String()
}

// agent returns the user agent as it is kept: text that a database takes, bounded.
func (f From) agent() string { return bounded(f.UserAgent, 300) }

// bounded returns the printable part of text, at most n bytes of it. Strangers choose such
// texts, and people read them on pages and terminals: nothing is left that turns a line
// around, ends it, or that a terminal obeys.
func bounded(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// askable reports whether text may be a parameter of a query: a NUL or half a character
// is refused by one database and stored by the other.
func askable(text string) bool {
	return text != "" && len(text) <= 400 && utf8.ValidString(text) && bounded(text, len(text)) == text
}

// change makes a change: commit, evict, answer. fn may run more than once, so it assigns
// what it returns.
func (p *People) change(ctx context.Context, actor cardea.Actor, fn func(tx *store.Tx) error) error {
	changes, err := p.store.Update(ctx, actor, fn)
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		p.apply(changes)
	}
	return nil
}

// event is an audit event about a member.
func event(action string, m store.Member, detail any) store.Event {
	return store.Event{Action: action, TargetType: "member", TargetID: m.ID, Organization: m.Organization, Detail: detail}
}
