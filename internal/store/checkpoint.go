package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/cardea-dev/cardea"
)

// A Checkpoint is a signed statement of the audit log's size and root, in the form of
// C2SP tlog-checkpoint. It is worth something once it has left the machine.
type Checkpoint struct {
	Size int64
	At   time.Time
	Note string // origin, size, root, signature
}

// checkpointOrigin is the first line of every checkpoint and the name of the key.
const checkpointOrigin = "cardea/audit"

// signingKey is the key of a key file.
type signingKey struct {
	signer   note.Signer
	verifier note.Verifier
	public   string
}

// SignCheckpoint signs the current state of the audit log and stores the checkpoint.
// ok is false when the log is empty or has not grown since the last one.
func (db *DB) SignCheckpoint(ctx context.Context) (c Checkpoint, ok bool, err error) {
	key, err := db.checkpointKey()
	if err != nil {
		return Checkpoint{}, false, err
	}
	err = db.write(ctx, func(q querier) error {
		c, ok = Checkpoint{}, false
		r := Reader{q: q, db: db}
		tree, err := r.AuditTree(ctx)
		if err != nil {
			return err
		}
		last, err := r.LastCheckpoint(ctx)
		if err != nil || tree.Size == last.Size {
			return err
		}
		text, err := note.Sign(&note.Note{Text: formatCheckpoint(tree)}, key.signer)
		if err != nil {
			return err
		}
		// Whoever verifies later, after a restore with another key perhaps, finds the
		// public key beside the checkpoints.
		if _, err := q.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO NOTHING`, verifierSetting+strconv.FormatUint(uint64(key.verifier.KeyHash()), 16), key.public); err != nil {
			return err
		}
		c, ok = Checkpoint{Size: tree.Size, At: db.Now(), Note: string(text)}, true
		_, err = q.ExecContext(ctx, `INSERT INTO audit_checkpoint (size, at, note) VALUES ($1, $2, $3)`,
			c.Size, stamp(c.At), c.Note)
		return err
	})
	if err != nil {
		return Checkpoint{}, false, err
	}
	return c, ok, nil
}

// verifierSetting is what the names of settings that hold public keys of checkpoints
// begin with.
const verifierSetting = "audit.verifier."

// verifiers returns the public keys of all checkpoints that were signed here.
func (r Reader) verifiers(ctx context.Context) ([]note.Verifier, error) {
	s := sel(`SELECT value FROM setting`).and("name LIKE ?", verifierSetting+"%")
	texts, err := collect(ctx, r, s, func(v *string) []any { return []any{v} })
	if err != nil {
		return nil, err
	}
	var list []note.Verifier
	for _, text := range texts {
		v, err := note.NewVerifier(text)
		if err != nil {
			return nil, damaged("a public key of checkpoints is not one")
		}
		list = append(list, v)
	}
	return list, nil
}

// LastCheckpoint returns the newest checkpoint, a zero one when none was signed.
func (r Reader) LastCheckpoint(ctx context.Context) (Checkpoint, error) {
	s := sel(`SELECT size, at, note FROM audit_checkpoint`).add(" ORDER BY size DESC LIMIT ?", 1)
	list, err := collect(ctx, r, s, (*Checkpoint).scan)
	if err != nil || len(list) == 0 {
		return Checkpoint{}, err
	}
	return list[0], nil
}

func (c *Checkpoint) scan() []any { return []any{&c.Size, (*stamp)(&c.At), &c.Note} }

func (r Reader) checkpoints(ctx context.Context) ([]Checkpoint, error) {
	s := sel(`SELECT size, at, note FROM audit_checkpoint`).add(" ORDER BY size")
	return collect(ctx, r, s, (*Checkpoint).scan)
}

// CheckpointVerifier returns the public key of the checkpoints as a note verifier key,
// which may be published.
func (db *DB) CheckpointVerifier() (string, error) {
	key, err := db.checkpointKey()
	if err != nil {
		return "", err
	}
	return key.public, nil
}

// VerifyCheckpoint proves that today's log extends the one that a checkpoint, kept
// elsewhere, was signed for. An error with [ErrAuditDamaged] in its chain says that it
// does not, or that the checkpoint is not by this server's key; a text that is no
// checkpoint at all is a KindInvalid error.
func (db *DB) VerifyCheckpoint(ctx context.Context, text string) (Tree, error) {
	key, err := db.checkpointKey()
	if err != nil {
		return Tree{}, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(key.verifier))
	if err != nil {
		var foreign *note.UnverifiedNoteError
		var forged *note.InvalidSignatureError
		if errors.As(err, &foreign) || errors.As(err, &forged) {
			return Tree{}, damaged("the checkpoint is not signed by this server's key")
		}
		return Tree{}, cardea.Invalid("checkpoint", "is not a checkpoint: give it whole, as audit checkpoint printed it")
	}
	older, err := parseCheckpoint(opened.Text)
	if err != nil {
		return Tree{}, err
	}
	tree, err := db.VerifyAudit(ctx)
	if err != nil {
		return Tree{}, err
	}
	if tree.same(older) {
		return tree, nil
	}
	proof, err := db.ProveConsistency(ctx, older, tree)
	if err != nil {
		return Tree{}, err
	}
	if !CheckConsistency(proof, older, tree) {
		return Tree{}, damaged("the log does not extend the checkpoint at %d events", older.Size)
	}
	return tree, nil
}

func formatCheckpoint(t Tree) string {
	return checkpointOrigin + "\n" + strconv.FormatInt(t.Size, 10) + "\n" +
		base64.StdEncoding.EncodeToString(t.Root[:]) + "\n"
}

// parseCheckpoint reads the text of a checkpoint, with or without signatures.
func parseCheckpoint(text string) (Tree, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || lines[0] != checkpointOrigin {
		return Tree{}, damaged("that is not a checkpoint of an audit log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || err2 != nil || size < 1 || len(root) != 32 {
		return Tree{}, damaged("that is not a checkpoint of an audit log")
	}
	return Tree{size, [32]byte(root)}, nil
}

// checkpointKey reads the key file, or makes it where there is none.
func (db *DB) checkpointKey() (*signingKey, error) {
	name := db.cfg.CheckpointKey
	if name == "" && db.cfg.Dir != "" {
		name = filepath.Join(db.cfg.Dir, "audit.key")
	}
	if name == "" {
		return nil, cardea.Errorf(cardea.KindInvalid, "no file is configured for the key that signs checkpoints")
	}
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return nil, &cardea.Error{Kind: cardea.KindUnavailable, Public: "the checkpoint key cannot be read", Cause: err}
	default:
		if text, err = makeKey(name); err != nil {
			return nil, &cardea.Error{Kind: cardea.KindUnavailable, Public: "the checkpoint key cannot be made", Cause: err}
		}
	}
	return parseKey(string(text))
}

// makeKey writes a new key file: private key, public key. It never replaces one, for
// that would disown every checkpoint signed so far.
func makeKey(name string) ([]byte, error) {
	private, public, err := note.GenerateKey(rand.Reader, checkpointOrigin)
	if err != nil {
		return nil, err
	}
	text := []byte(private + "\n" + public + "\n")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) { // somebody else was faster
		return os.ReadFile(name)
	}
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return text, errors.Join(err, f.Sync(), f.Close())
}

func parseKey(text string) (*signingKey, error) {
	lines := strings.Fields(text)
	if len(lines) != 2 {
		return nil, cardea.Errorf(cardea.KindInvalid, "the checkpoint key file is damaged")
	}
	signer, err := note.NewSigner(lines[0])
	if err != nil { // the cause may quote the key
		return nil, cardea.Errorf(cardea.KindInvalid, "the checkpoint key file is damaged")
	}
	verifier, err := note.NewVerifier(lines[1])
	if err != nil {
		return nil, cardea.Errorf(cardea.KindInvalid, "the checkpoint key file is damaged")
	}
	return &signingKey{signer, verifier, lines[1]}, nil
}
