package examples_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// client returns an HTTP client that finds every host name at dev's TLS listener, as the
// scripts' curl does.
func (d *dev) client() (*http.Client, error) {
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the development CA's file holds no certificate")
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxIdleConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, d.TLS)
		},
	}}, nil
}

// A volley is requests that several clients send without a pause while something happens.
type volley struct {
	client   *http.Client
	url, key string
	done     atomic.Bool // what happens has happened

	mu            sync.Mutex
	before, after int   // requests that started before and after it was done
	err           error // the first thing that must not be
}

// shoot sends one request and notes what came of it.
func (v *volley) shoot() {
	after := v.done.Load() // read before the request starts
	status, err := v.get()
	v.mu.Lock()
	defer v.mu.Unlock()
	if after {
		v.after++
	} else {
		v.before++
	}
	switch {
	case err != nil:
		v.err = errors.Join(v.err, err)
	case after && status != http.StatusUnauthorized:
		v.err = fmt.Errorf("a request that started afterwards was answered with %d", status)
	case status != http.StatusOK && status != http.StatusUnauthorized:
		v.err = fmt.Errorf("status %d", status)
	}
}

func (v *volley) get() (int, error) {
	req, err := http.NewRequest(http.MethodGet, v.url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+v.key)
	resp, err := v.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// count returns how many requests have started before and after, and the first fault.
func (v *volley) count() (before, after int, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.before, v.after, v.err
}

// cmdHammer runs a command while several clients use a key without a pause: hammer KEY
// URL COMMAND…. Every request that starts after the command has come back must be
// refused with 401.
func (s *script) cmdHammer(ts *testscript.TestScript, args []string) {
	const clients, rounds = 4, 40
	client, err := s.dev.client()
	ts.Check(err)
	defer client.CloseIdleConnections()
	v := &volley{client: client, key: args[0], url: args[1]}
	var all sync.WaitGroup
	warm := make(chan struct{}, clients) // each client has been served
	for range clients {
		all.Go(func() {
			v.shoot()
			warm <- struct{}{}
			for later := 0; later < rounds; {
				if v.done.Load() {
					later++
				}
				v.shoot()
			}
		})
	}
	for range clients {
		<-warm
	}
	err = ts.Exec(args[2], args[3:]...)
	v.done.Store(true)
	all.Wait()
	ts.Check(err)
	before, after, err := v.count()
	ts.Check(err)
	ts.Logf("%s: %d requests started before it was done, %d after", strings.Join(args[2:], " "), before, after)
}
