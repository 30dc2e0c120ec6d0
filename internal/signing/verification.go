package signing

import (
	"log/slog"
	"slices"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// A Verification is the set of keys that verify tokens at one time. It is immutable.
type Verification struct {
	rows     []store.SigningKey // all that were read, newest first
	byID     map[string]*entry
	signing  map[purpose][]*entry     // those that may come to sign, the last to begin first
	sets     map[string]*token.KeySet // :: environment → its keys
	document []byte
	until    time.Time // when one of its keys expires; zero: none will
}

// entry is a key that verifies.
type entry struct {
	row store.SigningKey
	key token.Key
}

// Lookup returns the key with a kid, and the environment that its tokens belong to.
func (v *Verification) Lookup(kid string) (key token.Key, environment string, ok bool) {
	if e := v.byID[kid]; e != nil {
		return e.key, e.row.Environment, true
	}
	return token.Key{}, "", false
}

// Find returns the key that signed a token with this kid and alg; it is what
// [token.Verify] takes. A token without kid is found in the set of its environment
// instead: see Environment.
func (v *Verification) Find(kid, algorithm string) []token.Key {
	e := v.byID[kid]
	if e == nil {
		return nil
	}
	return v.sets[e.row.Environment].Find(kid, algorithm)
}

// Environment returns the keys of one environment, nil when it has none: for tokens
// whose header names no key. Such a token belongs to the environment whose keys verify
// it.
func (v *Verification) Environment(name string) *token.KeySet { return v.sets[name] }

// signs returns the key that signs at a time, nil when there is none.
func (v *Verification) signs(p purpose, now time.Time) *entry {
	for _, e := range v.signing[p] {
		if !e.row.SignsAt.IsZero() && !now.Before(e.row.SignsAt) && !past(e.row.RetiredAt, now) {
			return e
		}
	}
	return nil
}

// past reports whether an instant was set and has come.
func past(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// snapshot makes a Verification of what the store holds. A row that cannot be read is
// left out: the tokens it signed are refused.
func (k *Keys) snapshot(rows []store.SigningKey) *Verification {
	now := k.now()
	v := &Verification{
		rows: rows, byID: map[string]*entry{}, signing: map[purpose][]*entry{}, sets: map[string]*token.KeySet{},
	}
	keys := map[string][]token.Key{} // :: environment → its keys
	var published []token.Key
	for _, row := range rows {
		if !row.RevokedAt.IsZero() || past(row.ExpiresAt, now) {
			continue
		}
		public, err := token.UnmarshalPublic(row.PublicKey, row.Algorithm)
		if err != nil {
			k.logger.Error("a signing key in the database is damaged", slog.String("kid", row.ID))
			continue
		}
		e := &entry{row: row, key: token.Key{ID: row.ID, Algorithm: row.Algorithm, Public: public}}
		p := purpose{row.Environment, row.Algorithm}
		v.byID[row.ID] = e
		v.signing[p] = append(v.signing[p], e)
		keys[row.Environment] = append(keys[row.Environment], e.key)
		published = append(published, e.key)
		if !row.ExpiresAt.IsZero() && (v.until.IsZero() || row.ExpiresAt.Before(v.until)) {
			v.until = row.ExpiresAt
		}
	}
	for _, list := range v.signing {
		slices.SortStableFunc(list, func(a, b *entry) int { return b.row.SignsAt.Compare(a.row.SignsAt) }) // newest first among equals
	}
	k.index(v, keys, published)
	return v
}

// index makes the key sets and the document. Neither can fail with keys that were just
// read and checked; if it did, nothing would be verified.
func (k *Keys) index(v *Verification, keys map[string][]token.Key, published []token.Key) {
	for environment, list := range keys {
		set, err := token.NewKeySet(list)
		if err != nil {
			k.logger.Error("signing keys cannot be used", slog.String("environment", environment))
			continue
		}
		v.sets[environment] = set
	}
	document, err := token.PublicJWKS(published)
	if err != nil {
		k.logger.Error("signing keys cannot be published")
		document = []byte(`{"keys":[]}`)
	}
	v.document = document
}
