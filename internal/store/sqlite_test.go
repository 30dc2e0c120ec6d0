package store

import "testing"

// Every connection must have every setting, whenever the pool opens it: one without
// foreign keys or with less than full synchronization would be a hole.
func TestEveryConnectionHasItsPragmas(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var conns []querier
	if err := db.write(t.Context(), func(q querier) error {
		conns = append(conns, q)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for range 4 { // all at once, so that they are four
		conn, err := db.readers.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	for i, conn := range conns {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
			"query_only": map[bool]string{true: "0", false: "1"}[i == 0],
		} {
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("connection %d: %s is %q (%v), want %q", i, pragma, got, err, want)
			}
		}
	}
}
