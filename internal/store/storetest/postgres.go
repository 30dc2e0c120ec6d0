package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
)

// Postgres creates an empty database that is dropped when the test ends, and returns
// its connection string.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := instance()
	if err != nil {
		t.Fatalf("PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("cardea_test_%d_%d", os.Getpid(), databases.Add(1))
	if err := admin(server, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		t.Fatalf("creating a database: %v", err)
	}
	t.Cleanup(func() {
		if err := admin(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("dropping a database: %v", err)
		}
	})
	dsn, err := url.Parse(server)
	if err != nil {
		t.Fatal("CARDEA_TEST_POSTGRES is not a URL")
	}
	dsn.Path = "/" + name
	return dsn.String()
}

// databases numbers the databases of this test binary.
var databases atomic.Int64

// admin runs a statement on the server's own database.
func admin(server, statement string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

// instance returns the connection string of the server for this test binary. The first
// call starts it.
var instance = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv("CARDEA_TEST_POSTGRES"); dsn != "" {
		return dsn, nil
	}
	bin, err := find()
	if err != nil {
		return "", err
	}
	return start(bin)
})

// find returns the folder of PostgreSQL's programs. pg_ctl on PATH may be a wrapper, so
// what counts is initdb and postgres side by side.
func find() (string, error) {
	var folders []string
	for _, program := range []string{"postgres", "initdb", "pg_ctl"} {
		if path, err := exec.LookPath(program); err == nil {
			if real, err := filepath.EvalSymlinks(path); err == nil {
				folders = append(folders, filepath.Dir(real))
			}
		}
	}
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	for i := len(versions) - 1; i >= 0; i-- {
		folders = append(folders, versions[i])
	}
	for _, dir := range append(folders, "/usr/local/bin", "/usr/local/pgsql/bin") {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", errors.New("no initdb and postgres on PATH or in /usr/lib/postgresql, and CARDEA_TEST_POSTGRES is not set")
}

func executable(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// supervise runs the server until its standard input ends, which the test binary's death
// of any kind brings about, then stops the server by its process id and removes the
// data. It needs no cooperation of the tests, not even a TestMain.
const supervise = `"$1/postgres" -D "$2/data" -k "$2" -h 127.0.0.1 -p "$3" \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=100 \
  -c shared_buffers=32MB >"$2/log" 2>&1 &
pid=$!
cat >/dev/null
kill -INT $pid
wait $pid
rm -rf "$2"`

// start makes a private instance on a free port of the loopback interface. PostgreSQL
// refuses to run as root, so root gives it to another user.
func start(bin string) (string, error) {
	dir, err := os.MkdirTemp("", "cardea-test-pg-")
	if err != nil {
		return "", err
	}
	attr, err := unprivileged(dir)
	if err != nil {
		return "", err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "cardea",
		"-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("/bin/sh", "-c", supervise, "sh", bin, dir, strconv.Itoa(port))
	cmd.Dir, cmd.SysProcAttr = dir, attr
	// The write end is closed by this process's end, and by nothing else.
	end, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	lifelines = append(lifelines, end)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	dsn := fmt.Sprintf("postgres://cardea@127.0.0.1:%d/postgres?sslmode=disable", port)
	return dsn, await(dsn, filepath.Join(dir, "log"))
}

// lifelines keeps the write end of the supervisor's standard input from being closed
// by the garbage collector.
var lifelines []io.Closer

// unprivileged gives the folder to the user that the server will run as.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	// The terminal's interrupt is for the tests; the server ends with them.
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			continue
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			continue
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, os.Chown(dir, uid, gid)
	}
	return nil, errors.New("running as root, and there is neither a user postgres nor nobody to run PostgreSQL as")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await returns when the server answers.
func await(dsn, log string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
	}
	text, _ := os.ReadFile(log) // the reason why, when there is one
	return fmt.Errorf("the server does not answer: %w\n%s", err, text)
}
