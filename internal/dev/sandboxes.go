package dev

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/sandbox"
)

// sandboxes are stand-ins for the API behind Cardea, one for each environment, so that
// what is written with a test key never shows up in live.
type sandboxes struct {
	upstream string // a real API for all environments; "" means sandboxes

	mu      sync.Mutex
	urls    map[string]string // :: environment → base URL
	servers []*http.Server
}

// adapt returns the contract with every route sent to the sandbox of its environment.
func (s *sandboxes) adapt(c *contract.Contract) *contract.Contract {
	urls := map[string]string{}
	for _, e := range c.Environments() {
		url, err := s.url(e.Name)
		if err != nil {
			// Without a port to listen on nothing would work; the route then fails
			// loudly with the contract's upstream error.
			url = "http://127.0.0.1:1"
		}
		urls[e.Name] = url
	}
	return c.WithUpstreams(urls)
}

// url returns the base URL for an environment, starting its sandbox if need be.
func (s *sandboxes) url(environment string) (string, error) {
	if s.upstream != "" {
		return s.upstream, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if url, ok := s.urls[environment]; ok {
		return url, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("sandbox: %w", err)
	}
	server := &http.Server{Handler: sandbox.New(environment), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l) // ends with Close
	if s.urls == nil {
		s.urls = map[string]string{}
	}
	s.urls[environment] = "http://" + l.Addr().String()
	s.servers = append(s.servers, server)
	return s.urls[environment], nil
}

// close stops the sandboxes.
func (s *sandboxes) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failures []error
	for _, server := range s.servers {
		failures = append(failures, server.Close())
	}
	return errors.Join(failures...)
}
