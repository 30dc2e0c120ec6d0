package manage

import (
	"context"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// maxLeaks is how many secrets one report may hold.
const maxLeaks = 100

// ReportLeak is the input of [Manager.ReportLeak].
type ReportLeak struct {
	// Secrets are the texts that were found. They are hashed and forgotten.
	Secrets []string `json:"secrets"`

	// Source says where they were found, for those whose secrets they are.
	Source string `json:"source,omitzero"`

	// Revoke ends the credentials at once.
	Revoke bool `json:"revoke,omitzero"`
}

// A LeakReport is what a report found.
type LeakReport struct {
	Items   []Leaked `json:"items"`
	Unknown int      `json:"unknown"` // texts that no credential has or had for a secret
}

// A Leaked is a credential whose secret was found.
type Leaked struct {
	Index    int  `json:"index"` // of the secret in the report, from 0
	Key      Key  `json:"key"`
	Reported bool `json:"reported"` // it was known before; its owners are not told again
}

// ReportLeak says that secrets were found where they should not be: in a public
// repository, a log, a message. Each credential that has, or had, one of them is marked and
// its owners are told (credential.leaked). Operators only.
//
// Each is a change of its own: after an error some may be done, and calling again with the
// same report does the rest.
func (m *Manager) ReportLeak(ctx context.Context, actor cardea.Actor, in ReportLeak) (LeakReport, error) {
	if err := access.Operator(actor); err != nil {
		return LeakReport{}, err
	}
	var p rules.Problems
	if len(in.Secrets) == 0 || len(in.Secrets) > maxLeaks {
		p.Add(cardea.Invalid("secrets", "must be from 1 to %d", maxLeaks))
	}
	for _, text := range in.Secrets {
		if text == "" || len(text) > maxSecret {
			p.Add(cardea.Invalid("secrets", "must have from 1 to %d bytes each", maxSecret))
			break
		}
	}
	p.Add(rules.Line("source", in.Source, rules.MaxReason))
	if err := p.Err(); err != nil {
		return LeakReport{}, err
	}
	out := LeakReport{Items: []Leaked{}}
	for i, text := range in.Secrets {
		found, err := m.store.LookupSecret(ctx, secret.HashOf(strings.TrimSpace(text)))
		if err != nil {
			return LeakReport{}, err
		}
		if !found.Found {
			out.Unknown++
			continue
		}
		leaked, err := m.leaked(ctx, actor, found.Credential.ID, in)
		if err != nil {
			return LeakReport{}, err
		}
		leaked.Index = i
		out.Items = append(out.Items, leaked)
	}
	return out, nil
}

// leaked marks one credential, and ends it if that is asked for.
func (m *Manager) leaked(ctx context.Context, actor cardea.Actor, id string, in ReportLeak) (Leaked, error) {
	var row keyRow
	first := false
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if row, err = m.findAny(ctx, tx.Reader, actor, id, access.Nobody); err != nil {
			return err
		}
		n := row.noun()
		if first, err = tx.ReportLeak(ctx, store.Leak{Credential: id, Source: in.Source}); err != nil || !first {
			return err
		}
		access.Record(tx, n.name+".leak", n.name, id, row.credential.Organization, map[string]string{"source": in.Source})
		return nil
	})
	if err == nil && in.Revoke {
		row, err = m.revoke(ctx, actor, row.noun(), RevokeKey{ID: id, Reason: "its secret was found in public"})
	}
	if err != nil {
		return Leaked{}, err
	}
	return Leaked{Key: row.view(m.contract(), m.now()), Reported: !first}, nil
}
