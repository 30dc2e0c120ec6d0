package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for a server: a bound for when things are wrong,
// not a pause.
const patience = 30 * time.Second

// A process is a server that a script started. Its output, both streams together, is
// collected by line.
type process struct {
	command *exec.Cmd
	ended   chan struct{}

	mu    sync.Mutex
	more  chan struct{} // closed and replaced when lines come
	lines []string
	seen  int // lines that await has gone past
}

// start runs the program in the background. The script's end stops it.
func (p *process) start(ts *testscript.TestScript, args []string) {
	c := exec.Command(filepath.Join(programDir(ts), "cardea"), args...)
	c.Dir = ts.MkAbs(".")
	c.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "TMPDIR="+ts.Getenv("TMPDIR"),
		"CARDEA_TRUSTED_PROXIES="+ts.Getenv("CARDEA_TRUSTED_PROXIES"))
	r, w := io.Pipe()
	c.Stdout, c.Stderr = w, w
	p.command, p.ended, p.more, p.lines, p.seen = c, make(chan struct{}), make(chan struct{}), nil, 0
	ts.Check(c.Start())
	go func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			p.add(lines.Text())
		}
		close(p.ended)
	}()
	go func() {
		err := c.Wait()
		fmt.Fprintf(w, "ended: %v\n", err)
		w.Close()
	}()
	ts.Defer(func() { p.stop(ts) })
}

// add collects a line and wakes whoever waits.
func (p *process) add(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
	close(p.more)
	p.more = make(chan struct{})
}

// await waits for a line with the text among those not gone past yet, goes past it and
// returns the lines gone past.
func (p *process) await(ts *testscript.TestScript, text string) []string {
	timeout := time.After(patience)
	for {
		p.mu.Lock()
		from, more := p.seen, p.more
		for i, line := range p.lines[from:] {
			if strings.Contains(line, text) {
				p.seen = from + i + 1
				passed := p.lines[from:p.seen]
				p.mu.Unlock()
				return passed
			}
		}
		all := strings.Join(p.lines, "\n")
		p.mu.Unlock()
		select {
		case <-more:
		case <-p.ended:
			ts.Fatalf("the server ended without a line that says %q:\n%s", text, all)
		case <-timeout:
			ts.Fatalf("the server wrote no line that says %q:\n%s", text, all)
		}
	}
}

// stop asks the server to end, waits for it and shows what it wrote in the script's log.
// Stopping twice does no harm.
func (p *process) stop(ts *testscript.TestScript) {
	if p.command == nil {
		return
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err == nil {
		<-p.ended
	}
	p.command = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	ts.Logf("server:\n%s", strings.Join(p.lines, "\n"))
	if last := p.lines[len(p.lines)-1]; last != "ended: <nil>" {
		ts.Fatalf("the server %s", last)
	}
}

// programDir returns the folder where testscript put the program.
func programDir(ts *testscript.TestScript) string {
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(filepath.ListSeparator)) {
		if _, err := os.Stat(filepath.Join(dir, "cardea")); err == nil {
			return dir
		}
	}
	ts.Fatalf("the program is not on the PATH")
	return ""
}

// rawCall sends a request over HTTP/1.1 without a client library in between, and
// returns everything that came back.
func rawCall(method, target string, headers []string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	host := "Host: " + u.Host
	lines := []string{method + " " + u.RequestURI() + " HTTP/1.1", "Connection: close"}
	for _, h := range headers {
		if strings.HasPrefix(h, "Host: ") {
			host = h
			continue
		}
		lines = append(lines, h)
	}
	if _, err := io.WriteString(conn, strings.Join(append(lines, host), "\r\n")+"\r\n\r\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return strings.ReplaceAll(string(answer), "\r\n", "\n"), err
}
