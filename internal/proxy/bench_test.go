package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The benchmark measures what a proxied request costs the proxy, in CPU time of its
// own process. Upstream and proxy are children of the test binary, started again with
// this variable; the load comes from the parent over kept-alive raw connections.
const roleVariable = "CARDEA_PROXY_BENCH_ROLE"

// benchRoles are the programs a child can be, given the upstream's address.
var benchRoles = map[string]func(upstream string) http.Handler{
	"upstream":     func(string) http.Handler { return http.HandlerFunc(serveBenchBody) },
	"bare":         func(string) http.Handler { return http.HandlerFunc(serveBenchBody) },
	"reverseproxy": bareReverseProxy,
	"forwarder":    bareForwarder,
	"unrecorded": func(upstream string) http.Handler {
		w := benchWorld(upstream)
		w.cfg.Recorder = nil
		return New(w.cfg)
	},
	"cardea": func(upstream string) http.Handler { return New(benchWorld(upstream).cfg) },
}

// benchWorld is Cardea with everything on: a store, limits and records. It leaves a key
// for the requests in a file named after the role.
func benchWorld(upstream string) *world {
	dir, err := os.MkdirTemp("", "cardea-bench")
	if err != nil {
		panic(err)
	}
	w, err := newWorld(dir, "http://"+upstream)
	if err != nil {
		panic(err)
	}
	key, err := w.key("live")
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(benchSecretFile(os.Getenv(roleVariable)), []byte(key), 0o600); err != nil {
		panic(err)
	}
	return w
}

func benchSecretFile(role string) string { return filepath.Join(os.TempDir(), "secret."+role) }

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		serveBench(benchRoles[role](os.Getenv(roleVariable + "_UPSTREAM")))
		return
	}
	os.Exit(m.Run())
}

var benchBody = []byte(`{"data":[{"id":"rec_1","name":"Ada Lovelace","email":"ada@example.com"},` +
	`{"id":"rec_2","name":"Grace Hopper","email":"grace@example.com"}],"has_more":false}`)

func serveBenchBody(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = w.Write(benchBody)
}

func bareReverseProxy(upstream string) http.Handler {
	target, err := url.Parse("http://" + upstream)
	if err != nil {
		panic(err)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 256
	return &httputil.ReverseProxy{
		Transport: t,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
	}
}

func bareForwarder(upstream string) http.Handler {
	f := newForwarder(Config{})
	names, replies := requestNames(nil, nil), replyNames(nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up, err := f.upstreams.get("http://" + upstream)
		if err != nil {
			panic(err)
		}
		p := &passage{w: w, r: r, up: up, target: r.RequestURI, names: names, replies: replies, timeout: time.Minute}
		if err := f.forward(p); err != nil {
			panic(err)
		}
	})
}

// serveBench serves until standard input ends. It prints its address first, and then
// its CPU time so far, in microseconds, for every line it reads.
func serveBench(h http.Handler) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	if name := os.Getenv(roleVariable + "_PROFILE"); name != "" {
		f, err := os.Create(name + "." + os.Getenv(roleVariable))
		if err != nil {
			panic(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			panic(err)
		}
		defer pprof.StopCPUProfile()
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			panic(err)
		}
		fmt.Println((u.Utime.Nano() + u.Stime.Nano()) / 1000)
	}
}

// A child is one program of the benchmark.
type child struct {
	addr string
	in   io.WriteCloser
	out  *bufio.Scanner
	cmd  *exec.Cmd
}

func startChild(tb testing.TB, role, upstream string) *child {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, roleVariable+"_UPSTREAM="+upstream)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	c := &child{in: in, out: bufio.NewScanner(out), cmd: cmd}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	c.addr = c.line(tb)
	return c
}

func (c *child) line(tb testing.TB) string {
	tb.Helper()
	if !c.out.Scan() {
		tb.Fatal("child ended")
	}
	return c.out.Text()
}

// cpu returns the child's CPU time so far in microseconds.
func (c *child) cpu(tb testing.TB) int64 {
	tb.Helper()
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.ParseInt(c.line(tb), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// load sends n requests over the given number of kept-alive connections.
func load(tb testing.TB, addr, request string, conns, n int) {
	tb.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			if err := loadOne(addr, request, &left); err != nil {
				tb.Error(err)
			}
		})
	}
	wg.Wait()
}

func loadOne(addr, request string, left *atomic.Int64) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	out := []byte(request)
	for left.Add(-1) >= 0 {
		if _, err := c.Write(out); err != nil {
			return err
		}
		if err := readAnswer(in); err != nil {
			return err
		}
	}
	return nil
}

// readAnswer reads one response with a stated length, and wants it to be a 200.
func readAnswer(in *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		text := strings.TrimSpace(string(line))
		if first && !strings.HasPrefix(text, "HTTP/1.1 200") {
			return fmt.Errorf("answer: %s", text)
		}
		if text == "" {
			break
		}
		if name, value, _ := strings.Cut(text, ":"); strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("answer without a length")
	}
	_, err := in.Discard(length)
	return err
}

// BenchmarkProxy prints the CPU time of a request through a bare handler, through
// httputil.ReverseProxy alone, and through Cardea with everything on; medians of
// several rounds, the programs taking turns. Run it with -benchtime 1x.
func BenchmarkProxy(b *testing.B) {
	const conns, perRound = 32, 30_000
	rounds := 7
	if n, err := strconv.Atoi(os.Getenv(roleVariable + "_ROUNDS")); err == nil {
		rounds = n
	}
	b.Setenv("TMPDIR", b.TempDir())
	upstream := startChild(b, "upstream", "")
	var names []string
	for name := range benchRoles {
		if only := os.Getenv(roleVariable + "_ONLY"); name != "upstream" && (only == "" || strings.Contains(only, name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	children, requests := make(map[string]*child), make(map[string]string)
	costs := make(map[string][]float64)
	for _, name := range names {
		children[name] = startChild(b, name, upstream.addr)
		requests[name] = benchRequest(name)
	}
	for _, name := range names {
		load(b, children[name].addr, requests[name], conns, perRound/4)
	}
	for b.Loop() {
		for range rounds {
			for _, name := range names {
				c := children[name]
				before := c.cpu(b)
				load(b, c.addr, requests[name], conns, perRound)
				costs[name] = append(costs[name], float64(c.cpu(b)-before)/perRound)
			}
		}
	}
	base := median(costs["reverseproxy"])
	for _, name := range names {
		m := median(costs[name])
		b.ReportMetric(m, name+"-µs/req")
		b.ReportMetric(m/base, name+"/reverseproxy")
	}
}

// benchRequest is what a client of the role sends.
func benchRequest(role string) string {
	key, err := os.ReadFile(benchSecretFile(role))
	if err != nil {
		key = []byte("ck_live_abc123xyz789") // nobody looks at it
	}
	return "GET /v1/modules/contacts/records?limit=10 HTTP/1.1\r\nHost: api.example.com\r\n" +
		"Authorization: Bearer " + string(key) + "\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n" +
		"Accept-Encoding: gzip\r\n\r\n"
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
