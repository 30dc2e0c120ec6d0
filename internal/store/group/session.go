package group

import (
	"context"
	"database/sql"
)

// A Session is the writer's connection with its statements prepared once. It shields
// the shared transaction from its callers' contexts: a statement that is interrupted
// would undo the changes of everybody in the batch.
type Session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStatements bounds the prepared statements; lists with filters make new texts.
const maxStatements = 500

func newSession(conn *sql.Conn) *Session {
	return &Session{conn: conn, stmts: map[string]*sql.Stmt{}}
}

// prepare returns the statement of a text, nil when there are too many.
func (s *Session) prepare(query string) (*sql.Stmt, error) {
	stmt := s.stmts[query]
	if stmt != nil || len(s.stmts) >= maxStatements {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(context.Background(), query)
	if err == nil {
		s.stmts[query] = stmt
	}
	return stmt, err
}

// ExecContext is that of [sql.Conn].
func (s *Session) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return s.conn.ExecContext(context.Background(), query, args...)
	}
	return stmt.ExecContext(context.Background(), args...)
}

// QueryContext is that of [sql.Conn].
func (s *Session) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return s.conn.QueryContext(context.Background(), query, args...)
	}
	return stmt.QueryContext(context.Background(), args...)
}

// QueryRowContext is that of [sql.Conn].
func (s *Session) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.prepare(query)
	if err != nil || stmt == nil { // a text that does not prepare fails here again
		return s.conn.QueryRowContext(context.Background(), query, args...)
	}
	return stmt.QueryRowContext(context.Background(), args...)
}

func (s *Session) close() error {
	for _, stmt := range s.stmts {
		_ = stmt.Close()
	}
	return s.conn.Close()
}
