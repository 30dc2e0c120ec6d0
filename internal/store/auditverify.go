package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrAuditDamaged is in the chain of every error that says that the audit log is not
// what was once written: changed, cut short or rearranged.
var ErrAuditDamaged = errors.New("the audit log was tampered with")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAuditDamaged, fmt.Sprintf(format, args...))
}

// A Tree is the state of the audit log: how many events and the root of their tree
// (RFC 9162 §2.1).
type Tree struct {
	Size int64
	Root [32]byte
}

// AuditTree returns the current state of the audit log.
func (r Reader) AuditTree(ctx context.Context) (Tree, error) {
	var t Tree
	err := r.q.QueryRowContext(ctx, `SELECT size FROM audit_head WHERE id = 1`).Scan(&t.Size)
	if err != nil {
		return Tree{}, r.db.classify(err)
	}
	root, err := tlog.TreeHash(t.Size, r.hashReader(ctx))
	t.Root = root
	return t, r.db.classify(err)
}

// VerifyAudit recomputes the whole tree from the records and compares everything that
// is stored: hashes, filter columns, size, and every checkpoint that was signed. It
// returns the tree, or an error with [ErrAuditDamaged] in its chain that names the
// first event at fault.
//
// Somebody who can write the database can also rewrite all of it; what they cannot
// is agree with a checkpoint that has left the machine, see [DB.VerifyCheckpoint].
func (db *DB) VerifyAudit(ctx context.Context) (Tree, error) {
	tx, err := db.readers.BeginTx(ctx, db.engine.snapshot)
	if err != nil {
		return Tree{}, db.classify(err)
	}
	defer tx.Rollback() // only reads
	return Reader{q: tx, db: db}.verifyAudit(ctx)
}

func (r Reader) verifyAudit(ctx context.Context) (Tree, error) {
	v := verifier{r: r, frontier: map[int64]tlog.Hash{}, hashes: map[int64]tlog.Hash{}}
	if err := v.checkpoints(ctx); err != nil {
		return Tree{}, err
	}
	return v.run(ctx)
}

// verifier recomputes the tree while it reads events and hashes side by side. It
// holds a logarithm of the tree in memory, not the tree.
type verifier struct {
	r        Reader
	size     int64
	frontier map[int64]tlog.Hash // stored index → hash of a subtree with no right sibling yet
	hashes   map[int64]tlog.Hash // the stored hashes of the events being checked
	signed   map[int64]string    // tree size → checkpoint
}

// verifyStep is how many events are read at a time.
const verifyStep = 1000

func (v *verifier) run(ctx context.Context) (Tree, error) {
	head, err := v.r.AuditTree(ctx)
	if err != nil {
		return Tree{}, fmt.Errorf("%w: %w", ErrAuditDamaged, err)
	}
	for {
		s := sel(`SELECT seq, at, actor_type, actor_id, action, target_type, target_id, organization, record FROM audit_event`)
		s.and("seq > ?", v.size).add(" ORDER BY seq LIMIT ?", verifyStep)
		events, err := collect(ctx, v.r, s, (*fullAuditRow).scan)
		if err != nil {
			return Tree{}, err
		}
		if len(events) == 0 {
			break
		}
		if err := v.readHashes(ctx, int64(len(events))); err != nil {
			return Tree{}, err
		}
		for i := range events {
			if err := v.event(&events[i]); err != nil {
				return Tree{}, err
			}
		}
	}
	return head, v.end(head)
}

// end compares what was recomputed with the stored size and root.
func (v *verifier) end(head Tree) error {
	if v.size != head.Size {
		return damaged("there are %d events, and %d were written", v.size, head.Size)
	}
	root, err := tlog.TreeHash(v.size, v.reader())
	if err != nil {
		return err
	}
	if root != tlog.Hash(head.Root) {
		return damaged("the stored hashes are not those of the events")
	}
	for size := range v.signed {
		return damaged("a checkpoint was signed at %d events, and there are %d", size, v.size)
	}
	return nil
}

// readHashes reads the stored hashes of the next n events.
func (v *verifier) readHashes(ctx context.Context, n int64) error {
	type row struct {
		idx  int64
		hash tlog.Hash
	}
	s := sel(`SELECT idx, hash FROM audit_hash`)
	s.and("idx >= ?", tlog.StoredHashIndex(0, v.size)).and("idx < ?", tlog.StoredHashIndex(0, v.size+n))
	rows, err := collect(ctx, v.r, s, func(r *row) []any { return []any{&r.idx, (*hashBytes)(&r.hash)} })
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAuditDamaged, err)
	}
	clear(v.hashes)
	for _, r := range rows {
		v.hashes[r.idx] = r.hash
	}
	return nil
}

// event checks the next event against its columns and its hashes, and the tree that it
// completes against the checkpoint of that size, if one was signed.
func (v *verifier) event(e *fullAuditRow) error {
	if e.seq != v.size+1 {
		return damaged("event %d is missing", v.size+1)
	}
	if !e.consistent() {
		return damaged("event %d does not agree with its own columns", e.seq)
	}
	hashes, err := tlog.StoredHashes(v.size, []byte(e.record), v.reader())
	if err != nil {
		return err
	}
	first := tlog.StoredHashIndex(0, v.size)
	for i, h := range hashes {
		idx := first + int64(i)
		if stored, ok := v.hashes[idx]; !ok || stored != h {
			return damaged("event %d is not what was written", e.seq)
		}
		v.frontier[idx] = h
	}
	v.size++
	v.prune()
	return v.checkpoint()
}

// prune keeps the hashes that later ones, or the root, are made of.
func (v *verifier) prune() {
	if len(v.frontier) < 256 {
		return
	}
	keep := map[int64]tlog.Hash{}
	for level, n := 0, v.size; n > 0; level, n = level+1, n/2 {
		if n&1 == 1 { // a complete subtree of 2^level leaves whose sibling is to come
			idx := tlog.StoredHashIndex(level, n-1)
			keep[idx] = v.frontier[idx]
		}
	}
	v.frontier = keep
}

// checkpoint compares the tree with the checkpoint signed at this size.
func (v *verifier) checkpoint() error {
	text, ok := v.signed[v.size]
	if !ok {
		return nil
	}
	delete(v.signed, v.size)
	root, err := tlog.TreeHash(v.size, v.reader())
	if err != nil {
		return err
	}
	tree, err := parseCheckpoint(text)
	if err != nil || tree.Size != v.size || tree.Root != [32]byte(root) {
		return damaged("the log does not agree with the checkpoint at %d events", v.size)
	}
	return nil
}

func (v *verifier) reader() tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, idx := range indexes {
			h, ok := v.frontier[idx]
			if !ok {
				return nil, damaged("a hash that the tree needs is missing")
			}
			hashes[i] = h
		}
		return hashes, nil
	}
}

// checkpoints reads the checkpoints and checks their signatures.
func (v *verifier) checkpoints(ctx context.Context) error {
	points, err := v.r.checkpoints(ctx)
	if err != nil {
		return err
	}
	keys, err := v.r.verifiers(ctx)
	if err != nil {
		return err
	}
	v.signed = map[int64]string{}
	for _, p := range points {
		opened, err := note.Open([]byte(p.Note), note.VerifierList(keys...))
		if err != nil {
			return damaged("the checkpoint at %d events was forged", p.Size)
		}
		v.signed[p.Size] = opened.Text
	}
	return nil
}

// fullAuditRow is an event with its filter columns.
type fullAuditRow struct {
	seq                                                           int64
	at                                                            number
	actorType, actorID, action, targetType, targetID, org, record string
}

func (f *fullAuditRow) scan() []any {
	return []any{&f.seq, &f.at, &f.actorType, &f.actorID, &f.action, &f.targetType, &f.targetID, &f.org, &f.record}
}

// consistent reports whether the filter columns say what the record says.
func (f *fullAuditRow) consistent() bool {
	e, err := parseRecord(f.record)
	return err == nil && e.Seq == f.seq && e.At.UnixMicro() == int64(f.at) && e.Actor.Type == f.actorType &&
		e.Actor.ID == f.actorID && e.Action == f.action && e.TargetType == f.targetType &&
		e.TargetID == f.targetID && e.Organization == f.org
}

// An InclusionProof shows that an event is in the log at a given size.
type InclusionProof struct {
	Tree   Tree
	Seq    int64
	Record []byte     // the leaf: the event's canonical JSON
	Hashes [][32]byte // RFC 9162 §2.1.3
}

// ProveInclusion returns the proof that the current log contains an event.
func (r Reader) ProveInclusion(ctx context.Context, seq int64) (InclusionProof, error) {
	s := sel(`SELECT seq, record FROM audit_event`).add(" AND seq = ?", seq)
	row, err := one(ctx, r, s, "audit event", (*auditRow).scan)
	if err != nil {
		return InclusionProof{}, err
	}
	tree, err := r.AuditTree(ctx)
	if err != nil {
		return InclusionProof{}, err
	}
	proof, err := tlog.ProveRecord(tree.Size, seq-1, r.hashReader(ctx))
	return InclusionProof{tree, seq, []byte(row.record), plain(proof)}, r.db.classify(err)
}

// Check reports whether the proof holds for its own tree; whose tree that is, a signed
// checkpoint has to say.
func (p InclusionProof) Check() bool {
	event, err := parseRecord(string(p.Record))
	return err == nil && event.Seq == p.Seq &&
		tlog.CheckRecord(hashesOf(p.Hashes), p.Tree.Size, p.Tree.Root, p.Seq-1, tlog.RecordHash(p.Record)) == nil
}

// ProveConsistency returns the proof (RFC 9162 §2.1.4) that the log of the newer tree
// extends that of the older one.
func (r Reader) ProveConsistency(ctx context.Context, older, newer Tree) ([][32]byte, error) {
	if older.Size < 1 || older.Size > newer.Size {
		return nil, damaged("the log has %d events, and once had %d", newer.Size, older.Size)
	}
	proof, err := tlog.ProveTree(newer.Size, older.Size, r.hashReader(ctx))
	return plain(proof), r.db.classify(err)
}

// CheckConsistency reports whether the newer tree extends the older one.
func CheckConsistency(proof [][32]byte, older, newer Tree) bool {
	return tlog.CheckTree(hashesOf(proof), newer.Size, newer.Root, older.Size, older.Root) == nil
}

func plain(hashes []tlog.Hash) [][32]byte {
	list := make([][32]byte, len(hashes))
	for i, h := range hashes {
		list[i] = h
	}
	return list
}

func hashesOf(list [][32]byte) []tlog.Hash {
	hashes := make([]tlog.Hash, len(list))
	for i, h := range list {
		hashes[i] = h
	}
	return hashes
}

// same reports whether two trees are one.
func (t Tree) same(other Tree) bool {
	return t.Size == other.Size && bytes.Equal(t.Root[:], other.Root[:])
}
