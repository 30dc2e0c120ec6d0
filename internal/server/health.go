package server

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/insight"
)

// pingTimeout is how long the store may take to answer before Cardea counts as not
// ready.
const pingTimeout = time.Second

// A healthReport is what /readyz answers. It is for operators, on their own listener;
// it still holds no text that a database or a file wrote.
type healthReport struct {
	Status   string         `json:"status"` // "ready", "draining" or "store unavailable"
	Contract contractReport `json:"contract"`
}

// A contractReport says which contract is in force and how the last reload went.
type contractReport struct {
	File       string    `json:"file"`
	Hash       string    `json:"hash"`
	ReloadedAt time.Time `json:"reloaded_at,omitzero"` // the last attempt
	Stale      bool      `json:"stale"`                // the file on disk has problems; an older one is in force
}

// healthz answers as long as the process does anything at all.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n"))
}

// readyz answers 200 when requests should be sent here, 503 otherwise. A contract that
// did not reload is shown and keeps nobody away: the old one is in force.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	last := s.contract.snapshot()
	report := healthReport{Status: "ready", Contract: contractReport{
		File: s.contract.name, Hash: s.contract.get().Hash(), ReloadedAt: last.At, Stale: last.Err != nil,
	}}
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	switch {
	case s.draining.Load():
		report.Status = "draining"
	case s.store.Ping(ctx) != nil:
		report.Status = "store unavailable"
	}
	status := http.StatusOK
	if report.Status != "ready" {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The status has gone out; a reader that left is not an error of ours.
	_ = json.MarshalWrite(w, report)
}

// process tells what the operator's console shows of the running program.
func (s *Server) process() insight.Process {
	last := s.contract.snapshot()
	version, _ := Version()
	return insight.Process{
		Version: version, StartedAt: s.started, LoadedAt: s.contract.loadedAt(), LastReload: last.At, ReloadErr: last.Err,
	}
}
