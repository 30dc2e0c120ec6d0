package examples_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// A hookServer is a product's authentication hook: it lets public paths pass and words
// its own refusal of the rest.
type hookServer struct {
	server *http.Server

	mu    sync.Mutex
	asked [][]byte // bodies, newest last
}

// ServeHTTP answers one question.
func (h *hookServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "no question", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.asked = append(h.asked, body)
	h.mu.Unlock()
	var q struct {
		Request struct {
			Path string `json:"path"`
		} `json:"request"`
	}
	if json.Unmarshal(body, &q) != nil || r.Header.Get("Webhook-Signature") == "" {
		http.Error(w, "not a question", http.StatusBadRequest)
		return
	}
	answer := `{"allow":false,"status":403,"body":"No soup!"}`
	if strings.HasPrefix(q.Request.Path, "/dev/public/") {
		answer = `{"allow":true}`
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, answer) // a caller that left is its own business
}

// cmdHook starts a hook on a free port: hook. HOOK_URL is its address. hook asked shows
// the last question; hook stop ends it.
func (s *script) cmdHook(ts *testscript.TestScript, args []string) {
	switch strings.Join(args, " ") {
	case "":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		s.hook = &hookServer{}
		s.hook.server = &http.Server{Handler: s.hook}
		go s.hook.server.Serve(l) // ends with Close
		ts.Setenv("HOOK_URL", "http://"+l.Addr().String()+"/auth")
	case "asked":
		s.hook.mu.Lock()
		defer s.hook.mu.Unlock()
		if len(s.hook.asked) == 0 {
			ts.Fatalf("the hook was not asked")
		}
		s.output = s.hook.asked[len(s.hook.asked)-1]
	case "quiet":
		s.hook.mu.Lock()
		defer s.hook.mu.Unlock()
		if len(s.hook.asked) != 0 {
			ts.Fatalf("the hook was asked: %s", s.hook.asked)
		}
	case "stop":
		ts.Check(s.hook.server.Close())
	default:
		ts.Fatalf("usage: hook [asked|quiet|stop]")
	}
}
