package bench

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// clockTick is the unit of the processor times in /proc/PID/stat.
const clockTick = 10 * time.Millisecond

// host is the API's name in contractText.
const host = "api.example.com"

// A process is a running `cardea serve`.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// BenchmarkProcess starts the real program on a data directory with 10⁴ and then 10⁶
// keys, makes every key warm, and then asks with keys drawn at random. It reports
//
//	ready-ms       start of the process until the first correct answer
//	idle-MiB       resident memory after that answer
//	warm-MiB       resident memory once every key has been used and that is on record
//	cpu-µs/req     processor time of the server alone
//
// The load comes over keep-alive connections from this process; the upstream is in it
// too, so neither counts.
func BenchmarkProcess(b *testing.B) {
	bin := build(b)
	for _, keys := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			up := startUpstream(b)
			dir := b.TempDir()
			secrets := fill(b, dir, keys)
			start := time.Now()
			p := serve(b, bin, dir, up)
			p.mustAnswer(b, secrets[0])
			ready := time.Since(start)
			idle := p.resident(b)
			p.load(b, secrets, len(secrets), false)
			p.settle(b)
			warm := p.resident(b)

			b.ResetTimer()
			before := p.cpu(b)
			n := max(b.N, 100_000) // below that the clock of /proc is too coarse
			p.load(b, secrets, n, true)
			spent := p.cpu(b) - before
			b.StopTimer()

			b.ReportMetric(float64(ready.Milliseconds()), "ready-ms")
			b.ReportMetric(idle, "idle-MiB")
			b.ReportMetric(warm, "warm-MiB")
			b.ReportMetric(float64(spent.Microseconds())/float64(n), "cpu-µs/req")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkBinary reports the size of the program as it is released.
func BenchmarkBinary(b *testing.B) {
	info, err := os.Stat(build(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
	b.ReportMetric(0, "ns/op")
}

// build builds the program as `make build` does.
func build(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "cardea")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "../cmd/cardea")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// serve starts the program and returns at once.
func serve(b *testing.B, bin, dir, upstream string) *process {
	b.Helper()
	file := filepath.Join(b.TempDir(), "cardea.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, contractText, upstream), 0o600); err != nil {
		b.Fatal(err)
	}
	p := &process{addr: freeAddress(b)}
	p.cmd = exec.Command(bin, "serve", "-c", file, "--data", dir, "--listen", p.addr,
		"--management-listen", freeAddress(b), "--log-level", "warn")
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
	})
	return p
}

// mustAnswer asks until the answer is right, for five seconds.
func (p *process) mustAnswer(b *testing.B, secret string) {
	b.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		req, err := http.NewRequest(http.MethodGet, "http://"+p.addr+"/v1/things", nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Authorization", "Bearer "+secret)
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			b.Fatalf("first answer: %s", resp.Status)
		}
		time.Sleep(time.Millisecond)
	}
	b.Fatal("no answer within five seconds")
}

// resident returns the resident memory in MiB.
func (p *process) resident(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Skip("needs /proc")
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(v)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

// cpu returns the processor time spent so far.
func (p *process) cpu(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Skip("needs /proc")
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		b.Fatal("cannot read /proc/PID/stat")
	}
	return time.Duration(user+system) * clockTick
}

// settle waits, for two minutes at most, until the server has written what the requests
// so far left behind: it belongs to them and not to those that are measured next.
func (p *process) settle(b *testing.B) {
	b.Helper()
	const look = 500 * time.Millisecond
	for range 2 * time.Minute / look {
		before := p.cpu(b)
		time.Sleep(look)
		if p.cpu(b)-before <= look/50 {
			return
		}
	}
}

// load sends n requests over eight connections: each secret in turn, or at random.
func (p *process) load(b *testing.B, secrets []string, n int, random bool) {
	b.Helper()
	const conns = 8
	var wg sync.WaitGroup
	for c := range conns {
		wg.Go(func() {
			if err := p.ask(secrets, c, conns, n, random); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// ask sends every step-th of n requests, from first on, over one connection.
func (p *process) ask(secrets []string, first, step, n int, random bool) error {
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	var out []byte
	for i := first; i < n; i += step {
		k := i % len(secrets)
		if random {
			k = rand.IntN(len(secrets))
		}
		out = append(out[:0], "GET /v1/things HTTP/1.1\r\nHost: "+host+"\r\nAuthorization: Bearer "...)
		out = append(out, secrets[k]...)
		out = append(out, "\r\n\r\n"...)
		if _, err := conn.Write(out); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("request %d: %s", i, resp.Status)
		}
	}
	return nil
}

// startUpstream answers every request with a few bytes.
func startUpstream(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[]}`)
	})}
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// freeAddress returns a loopback address that was free a moment ago.
func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
