package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/cardea-dev/cardea/contract"
)

// A contractFile is the contract in force and the file it came from. Readers load the
// pointer; only load replaces it, and only with a contract that compiled.
type contractFile struct {
	name    string
	watched bool // the contract is in the file of this name, and is read again
	adapt   func(*contract.Contract) *contract.Contract
	log     *slog.Logger

	current atomic.Pointer[contract.Contract]
	text    atomic.Pointer[[]byte] // of current, but for an instant when it changes

	mu       sync.Mutex        // one reload at a time; guards what follows
	lastText [sha256.Size]byte // hash of what was looked at last, good or bad
	loaded   time.Time         // when the contract in force came into force
	status   reloadStatus
}

// openContract loads the first contract. A bad one is no start.
func openContract(c Config, log *slog.Logger) (*contractFile, error) {
	f := &contractFile{name: c.Settings.Contract, watched: c.ContractText == nil, adapt: c.Adapt, log: log}
	text := c.ContractText
	if f.watched {
		var err error
		if text, err = os.ReadFile(f.name); err != nil {
			return nil, fmt.Errorf("contract: %w", err)
		}
	}
	first, err := f.compile(text)
	if err != nil {
		return nil, fmt.Errorf("the contract has problems:\n%w", err)
	}
	f.lastText = sha256.Sum256(text)
	f.loaded = time.Now()
	f.text.Store(&text)
	f.current.Store(first)
	return f, nil
}

// A reloadStatus tells how the last reload went.
type reloadStatus struct {
	At        time.Time
	Err       error // nil when the last reload took
	Succeeded int64 // reloads that took, the first load not counted
	Failed    int64
}

// get returns the contract in force.
func (c *contractFile) get() *contract.Contract { return c.current.Load() }

// source returns the text of the contract in force.
func (c *contractFile) source() []byte { return *c.text.Load() }

// snapshot returns how the last reload went.
func (c *contractFile) snapshot() reloadStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// loadedAt returns when the contract in force came into force.
func (c *contractFile) loadedAt() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaded
}

// compile loads the contract's text and adapts it.
func (c *contractFile) compile(text []byte) (*contract.Contract, error) {
	loaded, err := contract.Load(c.name, text)
	if err != nil {
		return nil, err
	}
	if c.adapt != nil {
		loaded = c.adapt(loaded)
	}
	return loaded, nil
}

// reload reads the file again. A file that is the same as last time changes nothing. A
// bad file leaves the old contract in force; every problem is logged with its place.
// took says that a new contract came into force.
func (c *contractFile) reload(now time.Time) (took bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := os.ReadFile(c.name)
	if err == nil && sha256.Sum256(text) == c.lastText {
		return false, c.status.Err
	}
	var fresh *contract.Contract
	if err == nil {
		c.lastText = sha256.Sum256(text)
		fresh, err = c.compile(text)
	}
	c.status.At, c.status.Err = now, err
	if err != nil {
		c.status.Failed++
		c.logFailure(err)
		return false, fmt.Errorf("contract not reloaded, the old one stays in force: %w", err)
	}
	c.status.Succeeded++
	c.loaded = now
	c.text.Store(&text)
	c.current.Store(fresh)
	c.log.Info("contract reloaded", slog.String("file", c.name), slog.String("hash", fresh.Hash()))
	return true, nil
}

// logFailure writes one line per problem.
func (c *contractFile) logFailure(err error) {
	var bad contract.Problems
	if !errors.As(err, &bad) {
		c.log.Error("contract not reloaded, the old one stays in force", slog.String("error", err.Error()))
		return
	}
	for _, p := range bad {
		c.log.Error("contract not reloaded, the old one stays in force", slog.String("problem", p.Error()))
	}
}

// settle is how long a file must be quiet before it is read: editors write in steps.
const settle = 100 * time.Millisecond

// watch calls changed after any of the files changed, until ctx ends. It watches their
// directories, since editors and orchestrators replace files and links instead of
// writing into them.
func watch(ctx context.Context, log *slog.Logger, changed func(), files ...string) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	for _, name := range files {
		if err := w.Add(filepath.Dir(name)); err != nil {
			return fmt.Errorf("watch %s: %w", filepath.Dir(name), err)
		}
	}
	timer := time.NewTimer(settle)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Events:
			if !ok {
				return nil
			}
			timer.Reset(settle)
		case err := <-w.Errors:
			log.Warn("watching files", slog.Any("error", err))
			timer.Reset(settle) // events may have been lost: look
		case <-timer.C:
			changed()
		}
	}
}
