package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
)

// restoreTimeout bounds the one transaction of a restore on PostgreSQL.
const restoreTimeout = 6 * time.Hour

// maxBackupLine bounds a line of a backup; the longest are audit records.
const maxBackupLine = 16 << 20

// Restore fills an empty database, which cfg names and which is created when it is not
// there, from a backup of either engine. It returns the state of the audit log, which
// it has verified. KindInvalid when the file is damaged or no backup; KindConflict when
// the database is not empty or the backup was made by a newer Cardea. After an error
// the database is as empty as it was.
//
// What happened after the backup is not in it: a key revoked since then works again.
// The key that signs checkpoints and the master key are not in it either.
func Restore(ctx context.Context, path string, cfg Config) (Tree, error) {
	if err := checkBackup(path); err != nil {
		return Tree{}, err
	}
	db, err := Open(ctx, cfg)
	if err != nil {
		return Tree{}, err
	}
	defer db.Close()
	var tree Tree
	var usage *sql.Tx
	err = db.writeFor(ctx, restoreTimeout, func(q querier) (err error) {
		if usage, err = db.usage.BeginTx(ctx, nil); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				_ = usage.Rollback()
			}
		}()
		if err := db.mustBeEmpty(ctx, q, usage); err != nil {
			return err
		}
		if err := load(ctx, path, q, usage); err != nil {
			return err
		}
		if err := errors.Join(refold(ctx, q), resum(ctx, usage)); err != nil {
			return err
		}
		tree, err = Reader{q: q, db: db}.verifyAudit(ctx)
		return err
	})
	if err != nil {
		return Tree{}, err
	}
	return tree, db.classify(usage.Commit())
}

// refold fills the columns of names to look up by that a backup of schema 1 has not, the
// way the migration does.
func refold(ctx context.Context, q querier) error {
	for _, query := range []string{
		`UPDATE member SET folded_email = substr(folded, length(folded) - length(id) - length(email), length(email))
			WHERE folded_email = ''`,
		`UPDATE organization SET folded_name = substr(folded, 1, length(folded) - length(id) - 1) WHERE folded_name = ''`,
	} {
		if _, err := q.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// resum adds up the usage that a backup of schema 3 or before has not added up, the way the
// migration does.
func resum(ctx context.Context, usage querier) error {
	for _, query := range []string{
		`INSERT INTO usage_daily (credential, day, organization, environment, requests, denied, limited, bytes_out, latency_us)
		SELECT credential, hour / 86400000000 * 86400000000, max(organization), max(environment), ` + usageSums + `
		FROM usage_hourly WHERE credential <> '' AND NOT EXISTS (SELECT 1 FROM usage_daily) GROUP BY 1, 2`,
		`INSERT INTO usage_total (organization, hour, environment, route, status_class, reason, requests, bytes_out, latency_us)
		SELECT organization, hour, environment, route, status_class, reason, CAST(sum(requests) AS BIGINT),
		CAST(sum(bytes_out) AS BIGINT), CAST(sum(latency_us) AS BIGINT)
		FROM usage_hourly WHERE NOT EXISTS (SELECT 1 FROM usage_total) GROUP BY 1, 2, 3, 4, 5, 6`,
		`INSERT INTO usage_total_daily (organization, day, environment, route, status_class, reason, requests, bytes_out, latency_us)
		SELECT organization, hour / 86400000000 * 86400000000, environment, route, status_class, reason, CAST(sum(requests) AS BIGINT),
		CAST(sum(bytes_out) AS BIGINT), CAST(sum(latency_us) AS BIGINT)
		FROM usage_hourly WHERE NOT EXISTS (SELECT 1 FROM usage_total_daily) GROUP BY 1, 2, 3, 4, 5, 6`,
	} {
		if _, err := usage.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// mustBeEmpty refuses a database that somebody has used.
func (db *DB) mustBeEmpty(ctx context.Context, control, usage querier) error {
	for _, t := range backupTables {
		q, query := control, "SELECT count(*) FROM "+t.name
		switch {
		case t.usage:
			q = usage
		case t.head:
			query += " WHERE " + strings.TrimPrefix(t.columns, "id, ") + " > 0"
		}
		var n int64
		if err := q.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return db.classify(err)
		}
		if n > 0 {
			return cardea.Errorf(cardea.KindConflict, "the database to restore into is not empty")
		}
	}
	return nil
}

func notABackup(why string) error {
	return cardea.Errorf(cardea.KindInvalid, "the file is not a usable backup: %s", why)
}

// eachLine calls fn for every line of a backup. The line is good until fn returns.
func eachLine(path string, fn func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return &cardea.Error{Kind: cardea.KindInvalid, Public: "the backup file cannot be read", Cause: err}
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return notABackup("it is not compressed as one")
	}
	lines := bufio.NewScanner(zip)
	lines.Buffer(make([]byte, 1<<16), maxBackupLine)
	for lines.Scan() {
		if err := fn(lines.Bytes()); err != nil {
			return err
		}
	}
	if lines.Err() != nil {
		return notABackup("it is damaged or cut short")
	}
	return nil
}

// checkBackup reads the whole file before anything is written: the checksum is at the
// end, and half a restore would be worse than none.
func checkBackup(path string) error {
	sum, lines, ended := sha256.New(), int64(0), false
	err := eachLine(path, func(line []byte) error {
		if ended {
			return notABackup("something follows its end")
		}
		if len(line) == 0 {
			return notABackup("it has an empty line")
		}
		if lines == 0 {
			if err := checkHeader(line); err != nil {
				return err
			}
		}
		if bytes.HasPrefix(line, []byte(`{"lines":`)) {
			var end backupLine
			if err := json.Unmarshal(line, &end); err != nil || end.Lines != lines ||
				end.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
				return notABackup("its checksum is wrong")
			}
			ended = true
			return nil
		}
		sum.Write(line)
		sum.Write([]byte{'\n'})
		lines++
		return nil
	})
	if err == nil && !ended {
		return notABackup("its end is missing")
	}
	return err
}

func checkHeader(line []byte) error {
	var h backupLine
	if err := json.Unmarshal(line, &h); err != nil || h.Format != backupFormat {
		return notABackup("it does not begin like one")
	}
	if h.Version > backupVersion || h.Schema > schemaVersion {
		return cardea.Errorf(cardea.KindConflict,
			"the backup was made by a newer Cardea (schema %d, this program knows %d)", h.Schema, schemaVersion)
	}
	return nil
}

// load inserts the rows of a checked backup.
func load(ctx context.Context, path string, control, usage querier) error {
	var into querier
	var insert string
	return eachLine(path, func(line []byte) error {
		if line[0] == '[' {
			args, err := parseRow(line)
			switch {
			case into == nil:
				return notABackup("it has a row without a table")
			case err == nil:
				_, err = into.ExecContext(ctx, insert, args...)
			}
			return err
		}
		var l backupLine
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		if l.Table == "" {
			return nil
		}
		t, err := tableOf(&l)
		if err != nil {
			return err
		}
		into, insert = control, insertText(t.name, strings.Join(l.Columns, ", "))
		if t.usage {
			into = usage
		}
		if t.head {
			_, err = into.ExecContext(ctx, "DELETE FROM "+t.name)
		}
		return err
	})
}

// tableOf finds the table that a line names. Names come from a file and become SQL, so
// only known ones pass.
func tableOf(l *backupLine) (*backupTable, error) {
	i := slices.IndexFunc(backupTables, func(t backupTable) bool { return t.name == l.Table })
	if i < 0 {
		return nil, notABackup("it has a table that this program does not know")
	}
	known := strings.Split(backupTables[i].columns, ", ")
	for _, column := range l.Columns {
		if !slices.Contains(known, column) {
			return nil, notABackup("it has a column that this program does not know")
		}
	}
	return &backupTables[i], nil
}

// parseRow turns a line into parameters: null, integer, text or bytes.
func parseRow(line []byte) ([]any, error) {
	var values []jsontext.Value
	if err := json.Unmarshal(line, &values); err != nil {
		return nil, err
	}
	args := make([]any, len(values))
	for i, v := range values {
		var err error
		switch v.Kind() {
		case 'n':
		case '"':
			var s string
			err = json.Unmarshal(v, &s)
			args[i] = s
		case '0':
			args[i], err = strconv.ParseInt(string(v), 10, 64)
		default:
			var b backupBlob
			if err = json.Unmarshal(v, &b, json.RejectUnknownMembers(true)); err == nil {
				args[i], err = base64.StdEncoding.DecodeString(b.Base64)
			}
		}
		if err != nil {
			return nil, notABackup("a row cannot be read")
		}
	}
	return args, nil
}
