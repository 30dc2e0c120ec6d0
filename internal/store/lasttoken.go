package store

import (
	"context"
	"time"
)

// LastTokens returns when a token was last issued under each of some consents: the making
// of a family, or of one of its refresh tokens. One under which none was is left out.
func (r Reader) LastTokens(ctx context.Context, consents []string) (map[string]time.Time, error) {
	return r.lastTokens(ctx, "f.consent", consents)
}

// LastTokensOfFamilies is [Reader.LastTokens] for families.
func (r Reader) LastTokensOfFamilies(ctx context.Context, families []string) (map[string]time.Time, error) {
	return r.lastTokens(ctx, "f.id", families)
}

// lastTokens asks for each value of a column of token_family, which is in an index.
func (r Reader) lastTokens(ctx context.Context, column string, ids []string) (map[string]time.Time, error) {
	last := map[string]time.Time{}
	if len(ids) == 0 {
		return last, nil
	}
	type row struct {
		id string
		at time.Time
	}
	s := sel("SELECT "+column+", MAX(COALESCE(t.created_at, f.created_at)) FROM token_family f LEFT JOIN refresh_token t ON t.family = f.id").in(column, ids)
	rows, err := collect(ctx, r, s.add(" GROUP BY "+column), func(x *row) []any { return []any{&x.id, (*stamp)(&x.at)} })
	for _, x := range rows {
		last[x.id] = x.at
	}
	return last, err
}
