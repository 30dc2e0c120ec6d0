package store

import (
	"context"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cardea-dev/cardea"
)

// An Event is what [Tx.Audit] is told about a change. Who made it, when, and for which
// request are known already.
type Event struct {
	Action       string // "key.revoke"
	TargetType   string // "credential"
	TargetID     string
	Organization string // whose change it is; "" when nobody's

	// Detail is what changed, before and after, as a value that marshals to JSON; nil
	// for nothing more. It must hold no secret: the log keeps it for ever.
	Detail any
}

// An AuditEvent is an event of the log. Its record, the canonical JSON (RFC 8785) of
// what is here, is a leaf of the log's Merkle tree.
type AuditEvent struct {
	Seq          int64 // from 1; the tree's leaf is Seq-1 (RFC 9162 counts from 0)
	At           time.Time
	Actor        cardea.Actor
	Action       string
	TargetType   string
	TargetID     string
	Organization string
	Detail       []byte // JSON; nil when there is none
}

// record is the stored form of an event. Members are sorted by name when it is made
// canonical; the order here does not matter.
type record struct {
	Seq          int64          `json:"seq"`
	At           string         `json:"at"`
	Actor        recordActor    `json:"actor"`
	Action       string         `json:"action"`
	Target       recordTarget   `json:"target"`
	Organization string         `json:"organization,omitempty"`
	RequestID    string         `json:"request_id,omitempty"`
	Detail       jsontext.Value `json:"detail,omitempty"`
}

type recordActor struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Address string `json:"address,omitempty"`
}

type recordTarget struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// recordTime is the form of times in records: microseconds, always six digits.
const recordTime = "2006-01-02T15:04:05.000000Z"

// Audit leaves an event in the audit log. It is written, and made part of the log's
// tree, in the transaction of the change.
func (tx *Tx) Audit(e Event) { tx.events = append(tx.events, e) }

// writeEvents appends the events to the log and its tree.
func (tx *Tx) writeEvents(ctx context.Context) error {
	if len(tx.events) == 0 {
		return nil
	}
	var size int64
	err := tx.q.QueryRowContext(ctx,
		`UPDATE audit_head SET size = size + $1 WHERE id = 1 RETURNING size`, len(tx.events)).Scan(&size)
	if err != nil {
		return tx.db.classify(err)
	}
	for i := range tx.events {
		seq := size - int64(len(tx.events)-1-i)
		text, err := tx.record(&tx.events[i], seq)
		if err != nil {
			return err
		}
		if err := tx.writeEvent(ctx, &tx.events[i], seq, text); err != nil {
			return err
		}
		if err := tx.appendLeaf(ctx, seq-1, text); err != nil {
			return err
		}
	}
	return nil
}

// record returns the event's canonical JSON.
func (tx *Tx) record(e *Event, seq int64) ([]byte, error) {
	rec := record{
		Seq: seq, At: tx.now.Format(recordTime), Action: e.Action,
		Actor:        recordActor{tx.actor.Type, tx.actor.ID, tx.actor.Address},
		Target:       recordTarget{e.TargetType, e.TargetID},
		Organization: e.Organization, RequestID: tx.actor.RequestID,
	}
	if e.Detail != nil {
		detail, err := json.Marshal(e.Detail, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		rec.Detail = detail
	}
	text, err := json.Marshal(&rec)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	if err := value.Canonicalize(); err != nil {
		return nil, err
	}
	return value, nil
}

// writeEvent stores the record, and beside it the columns that lists filter by. The
// record is TEXT and not the engine's JSON type, which would not give back the bytes
// that were hashed.
func (tx *Tx) writeEvent(ctx context.Context, e *Event, seq int64, record []byte) error {
	_, err := tx.exec(ctx, `INSERT INTO audit_event
		(seq, at, actor_type, actor_id, action, target_type, target_id, organization, record)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		seq, stamp(tx.now), tx.actor.Type, tx.actor.ID, e.Action, e.TargetType, e.TargetID,
		e.Organization, string(record))
	return err
}

// appendLeaf adds a record to the tree: its own hash and those of the subtrees that
// it completes. Of the older hashes it reads one on average, and the logarithm of the
// log's size at most.
func (tx *Tx) appendLeaf(ctx context.Context, leaf int64, record []byte) error {
	hashes, err := tlog.StoredHashes(leaf, record, tx.hashReader(ctx))
	if err != nil {
		return tx.db.classify(err)
	}
	first := tlog.StoredHashIndex(0, leaf)
	for i, h := range hashes {
		if _, err := tx.exec(ctx, `INSERT INTO audit_hash (idx, hash) VALUES ($1, $2)`,
			first+int64(i), h[:]); err != nil {
			return err
		}
	}
	return nil
}

// hashReader reads the tree's stored hashes.
func (r Reader) hashReader(ctx context.Context) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, idx := range indexes {
			err := r.q.QueryRowContext(ctx, `SELECT hash FROM audit_hash WHERE idx = $1`, idx).
				Scan((*hashBytes)(&hashes[i]))
			if err != nil {
				return nil, r.db.classify(err)
			}
		}
		return hashes, nil
	}
}

// AuditEvent returns one event, or a KindNotFound error.
func (r Reader) AuditEvent(ctx context.Context, seq int64) (AuditEvent, error) {
	s := sel(`SELECT seq, record FROM audit_event`).add(" AND seq = ?", seq)
	row, err := one(ctx, r, s, "audit event "+strconv.FormatInt(seq, 10), (*auditRow).scan)
	if err != nil {
		return AuditEvent{}, err
	}
	return parseRecord(row.record)
}

// parseRecord reads a stored record.
func parseRecord(text string) (AuditEvent, error) {
	var rec record
	if err := json.Unmarshal([]byte(text), &rec, json.RejectUnknownMembers(true)); err != nil {
		return AuditEvent{}, err
	}
	at, err := time.Parse(recordTime, rec.At)
	return AuditEvent{
		Seq: rec.Seq, At: at, Action: rec.Action, TargetType: rec.Target.Type, TargetID: rec.Target.ID,
		Actor:        cardea.Actor{Type: rec.Actor.Type, ID: rec.Actor.ID, Address: rec.Actor.Address, RequestID: rec.RequestID},
		Organization: rec.Organization, Detail: rec.Detail,
	}, err
}
