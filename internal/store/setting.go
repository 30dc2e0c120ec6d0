package store

import "context"

// Setting returns a named value that belongs to the data rather than to the
// configuration, such as the fingerprint of the master key; "" when it was never set.
func (r Reader) Setting(ctx context.Context, name string) (string, error) {
	s := sel(`SELECT value FROM setting`).add(" AND name = ?", name)
	values, err := collect(ctx, r, s, func(v *string) []any { return []any{v} })
	if err != nil || len(values) == 0 {
		return "", err
	}
	return values[0], nil
}

// SetSetting stores a named value. It is not for secrets.
func (tx *Tx) SetSetting(ctx context.Context, name, value string) error {
	_, err := tx.exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
