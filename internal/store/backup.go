package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
)

// A backup is a gzip stream of JSON lines, the same for both engines, so that it also
// moves data from one to the other: a header; for each table a line that names it and
// its columns, followed by its rows as arrays; and an end line with the number of lines
// before it and their SHA-256. It holds the control data, the audit log and usage. The
// request log, which is large and short-lived, is not in it.
const (
	backupFormat  = "cardea-backup"
	backupVersion = 1
)

// backupLine is any line that is not a row.
type backupLine struct {
	Format    string    `json:"format,omitempty"` // header
	Version   int       `json:"version,omitzero"`
	Schema    int64     `json:"schema,omitzero"`
	Engine    string    `json:"engine,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`

	Table   string   `json:"table,omitempty"` // table
	Columns []string `json:"columns,omitempty"`

	Lines  int64  `json:"lines,omitzero"` // end
	SHA256 string `json:"sha256,omitempty"`
}

// backupBlob is a BLOB in a row; everything else is a number, a string or null.
type backupBlob struct {
	Base64 string `json:"base64"`
}

// A backupTable is a table that a backup contains.
type backupTable struct {
	name    string
	columns string
	order   string // its primary key: equal data gives equal lines
	usage   bool   // in usage.db on SQLite
	head    bool   // has its one row from the start
}

// backupTables are the tables in an order in which they can be filled: what is
// referred to comes first.
var backupTables = []backupTable{
	{name: "setting", columns: "name, value", order: "name"},
	{name: "organization", columns: "id, name, folded, folded_name, plan, limits, suspended_at, staff, created_at, updated_at", order: "id"},
	{name: "member", columns: "id, organization, email, name, folded, folded_email, role, disabled_at, " +
		"created_at, updated_at, tokens_not_before, signed_in_at", order: "id"},
	{name: "credential", columns: "id, kind, environment, organization, member, name, folded, scopes, limits, addresses, " +
		"expires_at, last_used_at, last_used_from, last_used_route, disabled_at, revoked_at, revoked_reason, created_by, created_at, " +
		"updated_at, tokens_not_before, scope_mask", order: "id"},
	{name: "credential_secret", columns: "hash, credential, hint, sealed, created_at, expires_at, last_used_at", order: "hash"},
	{name: "address_list", columns: "organization, environment, prefixes, updated_at", order: "organization, environment"},
	{name: "management_token", columns: "id, name, hash, hint, created_by, created_at, expires_at, revoked_at, last_used_at", order: "id"},
	{name: "client", columns: clientDetails.columns, order: "credential"},
	{name: "account_key", columns: accountKeys.columns, order: "id"},
	{name: "signing_key", columns: signingKeys.columns, order: "id"},
	{name: "consent", columns: consents.columns, order: "id"},
	{name: "code", columns: codes.columns, order: "hash"},
	{name: "token_family", columns: families.columns + ", ends_at", order: "id"},
	{name: "refresh_token", columns: refreshTokens.columns, order: "hash"},
	{name: "access_token", columns: accessTokens.columns, order: "hash"},
	{name: "revoked_token", columns: "id, expires_at", order: "id"},
	{name: "device_code", columns: deviceCodes.columns, order: "hash"},
	{name: "pushed_request", columns: pushedRequests.columns, order: "hash"},
	{name: "seen", columns: "hash, expires_at", order: "hash"},
	{name: "organization_issuer", columns: issuers.columns, order: "id"},
	{name: "password", columns: passwords.columns, order: "member"},
	{name: "passkey", columns: passkeys.columns, order: "id"},
	{name: "session", columns: sessions.columns, order: "hash"},
	{name: "sso_connection", columns: connections.columns, order: "organization"},
	{name: "one_time_link", columns: links.columns, order: "hash"},
	{name: "webhook_endpoint", columns: webhookEndpoints.columns, order: "id"},
	{name: "webhook_delivery", columns: webhookDeliveries.columns, order: "id"},
	{name: "credential_address", columns: "credential, address, first_at, seen_at", order: "credential, address"},
	{name: "credential_leak", columns: leaks.columns, order: "credential"},
	{name: "day_count", columns: "owner, day, n", order: "owner, day"},
	{name: "change_head", columns: "id, seq", order: "id", head: true},
	{name: "change_log", columns: "seq, kind, target, at", order: "seq"},
	{name: "audit_head", columns: "id, size", order: "id", head: true},
	{name: "audit_event", columns: "seq, at, actor_type, actor_id, action, target_type, target_id, organization, record", order: "seq"},
	{name: "audit_hash", columns: "idx, hash", order: "idx"},
	{name: "audit_checkpoint", columns: "size, at, note", order: "size"},
	{name: "usage_hourly", columns: "credential, hour, route, status_class, reason, organization, environment, " +
		"requests, bytes_out, latency_us", order: "credential, hour, route, status_class, reason", usage: true},
	{name: "usage_daily", columns: "credential, day, organization, environment, requests, denied, limited, bytes_out, latency_us",
		order: "credential, day", usage: true},
	{name: "usage_total_daily", columns: "organization, day, environment, route, status_class, reason, requests, bytes_out, latency_us",
		order: "organization, day, environment, route, status_class, reason", usage: true},
	{name: "usage_total", columns: "organization, hour, environment, route, status_class, reason, requests, bytes_out, latency_us",
		order: "organization, hour, environment, route, status_class, reason", usage: true},
}

// Backup writes a backup to a new file, readable by its owner only, while the database
// is in use. The control data and the audit log in it are of one instant. It holds no
// secret in the clear, but hashes, sealed secrets and names. KindConflict when the file
// exists.
func (db *DB) Backup(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return cardea.Errorf(cardea.KindConflict, "the backup file exists already")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return unwritable(err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".cardea-backup-*") // mode 0600
	if err != nil {
		return unwritable(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := db.WriteBackup(ctx, f); err != nil {
		_ = f.Close()
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return unwritable(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return unwritable(err)
	}
	return syncDir(filepath.Dir(path))
}

func unwritable(err error) error {
	return &cardea.Error{Kind: cardea.KindUnavailable, Public: "the backup file cannot be written", Cause: err}
}

// syncDir makes a rename survive a power cut.
func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return unwritable(err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return unwritable(err)
	}
	return nil
}

// WriteBackup writes a backup to w. Without an error from it and from whatever w is,
// there is no backup.
func (db *DB) WriteBackup(ctx context.Context, w io.Writer) error {
	control, err := db.readers.BeginTx(ctx, db.engine.snapshot)
	if err != nil {
		return db.classify(err)
	}
	defer control.Rollback() // only reads
	usage := control
	if db.usage != db.readers {
		if usage, err = db.usage.BeginTx(ctx, db.engine.snapshot); err != nil {
			return db.classify(err)
		}
		defer usage.Rollback() // only reads
	}
	out := newBackupWriter(w)
	out.line(backupLine{
		Format: backupFormat, Version: backupVersion, Schema: schemaVersion,
		Engine: db.engine.name, CreatedAt: db.Now(),
	})
	for _, t := range backupTables {
		tx := control
		if t.usage {
			tx = usage
		}
		if err := t.dump(ctx, tx, out); err != nil {
			return db.classify(err)
		}
	}
	return db.classify(out.end())
}

// dump writes a table.
func (t *backupTable) dump(ctx context.Context, tx *sql.Tx, out *backupWriter) error {
	rows, err := tx.QueryContext(ctx, "SELECT "+t.columns+" FROM "+t.name+" ORDER BY "+t.order)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	out.line(backupLine{Table: t.name, Columns: columns})
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = backupBlob{base64.StdEncoding.EncodeToString(b)}
			}
		}
		out.line(values)
		if out.err != nil {
			return out.err
		}
	}
	return rows.Err()
}

// A backupWriter writes lines, counts them and sums them up. Its first error stays.
type backupWriter struct {
	zip   *gzip.Writer
	buf   *bufio.Writer
	sum   hash.Hash
	lines int64
	err   error
}

func newBackupWriter(w io.Writer) *backupWriter {
	zip := gzip.NewWriter(w)
	return &backupWriter{zip: zip, buf: bufio.NewWriterSize(zip, 1<<16), sum: sha256.New()}
}

func (b *backupWriter) line(v any) {
	if b.err != nil {
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		b.err = err
		return
	}
	text = append(text, '\n')
	b.sum.Write(text) // never fails
	b.lines++
	_, b.err = b.buf.Write(text)
}

// end writes the last line, which is not in its own sum.
func (b *backupWriter) end() error {
	b.line(backupLine{Lines: b.lines, SHA256: hex.EncodeToString(b.sum.Sum(nil))})
	return errors.Join(b.err, b.buf.Flush(), b.zip.Close())
}
