package store

import (
	"database/sql/driver"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
)

// errColumn reports a column that does not hold what Cardea writes there: a damaged or
// foreign database.
var errColumn = errors.New("store: a column holds what Cardea never writes")

// stamp is a time as the database has it: BIGINT microseconds since 1970 in UTC, NULL
// for the zero time. Both engines and every driver agree on integers; they agree on
// nothing else about time.
type stamp time.Time

// Value implements [driver.Valuer].
func (s stamp) Value() (driver.Value, error) {
	if time.Time(s).IsZero() {
		return nil, nil
	}
	return time.Time(s).UnixMicro(), nil
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s = stamp{}
	case int64:
		*s = stamp(time.UnixMicro(v).UTC())
	default:
		return errColumn
	}
	return nil
}

// words is a list of texts kept as JSON in a TEXT column; no list is an empty one.
type words []string

// Value implements [driver.Valuer].
func (w words) Value() (driver.Value, error) {
	if w == nil {
		w = words{}
	}
	return asJSON(&w).Value()
}

// Scan implements sql.Scanner.
func (w *words) Scan(v any) error { return asJSON((*[]string)(w)).Scan(v) }

// jsonText is a value kept as JSON in a TEXT column, NULL when it is nil. T is a
// pointer or a slice.
type jsonText[T any] struct {
	v *T
}

// asJSON wraps *v for a parameter or a scan target.
func asJSON[T any](v *T) jsonText[T] { return jsonText[T]{v} }

// Value implements [driver.Valuer].
func (j jsonText[T]) Value() (driver.Value, error) {
	text, err := json.Marshal(*j.v, json.FormatNilSliceAsNull(true), json.Deterministic(true))
	if err != nil || string(text) == "null" {
		return nil, err
	}
	return string(text), nil
}

// Scan implements sql.Scanner.
func (j jsonText[T]) Scan(v any) error {
	*j.v = *new(T)
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), j.v)
	case []byte:
		return json.Unmarshal(v, j.v)
	}
	return errColumn
}

// hashBytes is a BLOB of exactly 32 bytes.
type hashBytes [32]byte

// Value implements [driver.Valuer].
func (h hashBytes) Value() (driver.Value, error) { return h[:], nil }

// Scan implements sql.Scanner.
func (h *hashBytes) Scan(v any) error {
	b, ok := v.([]byte)
	switch {
	case v == nil:
		*h = hashBytes{}
	case ok && len(b) == len(h):
		copy(h[:], b)
	default:
		return errColumn
	}
	return nil
}

// text scans a TEXT column, "" for NULL; as a parameter "" becomes NULL.
type text string

// Value implements [driver.Valuer].
func (t text) Value() (driver.Value, error) {
	if t == "" {
		return nil, nil
	}
	return string(t), nil
}

// Scan implements sql.Scanner.
func (t *text) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t = ""
	case string:
		*t = text(v)
	case []byte:
		*t = text(v)
	default:
		return errColumn
	}
	return nil
}

// plainText scans a TEXT column like text, but stores "" as it is: the column is NOT NULL.
type plainText string

// Scan implements sql.Scanner.
func (p *plainText) Scan(v any) error { return (*text)(p).Scan(v) }

// Value implements [driver.Valuer].
func (p plainText) Value() (driver.Value, error) { return string(p), nil }

// flag is a BIGINT column that is 0 or 1; NULL is false.
type flag bool

// Value implements [driver.Valuer].
func (f flag) Value() (driver.Value, error) {
	if f {
		return int64(1), nil
	}
	return int64(0), nil
}

// Scan implements sql.Scanner.
func (f *flag) Scan(v any) error {
	var n number
	err := n.Scan(v)
	*f = n != 0
	return err
}

// number scans a BIGINT column, 0 for NULL.
type number int64

// Scan implements sql.Scanner.
func (n *number) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n = 0
	case int64:
		*n = number(v)
	default:
		return errColumn
	}
	return nil
}

// Limits are limits set for one organization or credential instead of its plan's. A
// member of 0 means no limit of that sort.
type Limits struct {
	PerMinute int64 `json:"per_minute,omitzero"`
	Burst     int64 `json:"burst,omitzero"`
	PerDay    int64 `json:"per_day,omitzero"`
}

// Day returns the number of the UTC day that t lies in, counted from 1970-01-01.
func Day(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= 86399 // round down, not towards zero
	}
	return s / 86400
}
