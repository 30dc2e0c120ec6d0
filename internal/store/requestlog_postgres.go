package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// partitions keeps each day of the request log in a partition of one table.
type partitions struct {
	db *DB

	mu    sync.Mutex
	known map[int64]bool // days whose partition is there
}

// appendRequestsSQL takes one array per column: a tenth of the cost of a statement per
// row. It is PostgreSQL's own way and stands here for that reason.
const appendRequestsSQL = `INSERT INTO request_log (` + requestColumns + `)
	SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
		$8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::bigint[],
		$16::bigint[], $17::bigint[], $18::text[])
	ON CONFLICT (at, request_id) DO NOTHING`

// appendStep is how many rows go in one statement.
const appendStep = 5000

func partitionName(day int64) string {
	return "request_log_" + strings.ReplaceAll(strings.TrimSuffix(dayName(day), ".db"), "-", "")
}

func (p *partitions) append(ctx context.Context, day int64, rows []RequestRow, gaps []Gap) error {
	if err := p.ensure(ctx, day); err != nil {
		return err
	}
	tx, err := p.db.control.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after the commit
	for part := range slices.Chunk(rows, appendStep) {
		if _, err := tx.ExecContext(ctx, appendRequestsSQL, columnsOf(part)...); err != nil {
			p.forget(day)
			return err
		}
	}
	for _, g := range gaps {
		if _, err := tx.ExecContext(ctx, insertGapSQL, stamp(g.From), stamp(g.Until), g.Dropped); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// columnsOf turns rows into one slice per column.
func columnsOf(rows []RequestRow) []any {
	numbers, texts := map[int][]int64{}, map[int][]string{}
	n := 0
	for i := range rows {
		args := rows[i].args()
		n = len(args)
		for c, arg := range args {
			switch arg := arg.(type) {
			case int64:
				numbers[c] = append(numbers[c], arg)
			case int:
				numbers[c] = append(numbers[c], int64(arg))
			case string:
				texts[c] = append(texts[c], arg)
			}
		}
	}
	columns := make([]any, n)
	for c := range columns {
		if list, ok := numbers[c]; ok {
			columns[c] = list
		} else {
			columns[c] = texts[c]
		}
	}
	return columns
}

// ensure makes the partition of a day. An advisory lock keeps two nodes from making it
// at once, which PostgreSQL answers with an error.
func (p *partitions) ensure(ctx context.Context, day int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[day] {
		return nil
	}
	tx, err := p.db.control.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after the commit
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7214663)`); err != nil {
		return err
	}
	ddl := fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s PARTITION OF request_log FOR VALUES FROM (%d) TO (%d)`,
		partitionName(day), day*microsPerDay, (day+1)*microsPerDay)
	if _, err := tx.ExecContext(ctx, ddl); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	p.known[day] = true
	return nil
}

// forget makes the next append look for the partition again: another node may have
// dropped it.
func (p *partitions) forget(day int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, day)
}

func (p *partitions) days(ctx context.Context) ([]int64, error) {
	rows, err := p.db.control.QueryContext(ctx, `SELECT c.relname FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'request_log'::regclass ORDER BY c.relname DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var days []int64
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if day, ok := partitionDay(name); ok {
			days = append(days, day)
		}
	}
	return days, rows.Err()
}

// partitionDay reads the day off a partition's name.
func partitionDay(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, "request_log_")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || len(digits) != 8 {
		return 0, false
	}
	return Day(date(n/10000, n/100%100, n%100)), true
}

func (p *partitions) on(context.Context, int64) (Reader, error) { return p.db.Reader, nil }

func (p *partitions) size(ctx context.Context, day int64) (int64, error) {
	var n int64
	err := p.db.control.QueryRowContext(ctx, `SELECT pg_total_relation_size($1::regclass)`, partitionName(day)).Scan(&n)
	return n, err
}

func (p *partitions) drop(ctx context.Context, day int64) error {
	p.forget(day)
	if _, err := p.db.control.ExecContext(ctx, `DROP TABLE IF EXISTS `+partitionName(day)); err != nil {
		return err
	}
	_, err := p.db.control.ExecContext(ctx, `DELETE FROM request_log_gap WHERE from_at < $1`, (day+1)*microsPerDay)
	return err
}
