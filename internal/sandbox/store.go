package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Bounds of a sandbox. It is a toy: what exceeds them is refused, or pushes the oldest
// item out of its collection.
const (
	maxCollections = 1000
	maxItems       = 1000     // in one collection
	maxBytes       = 16 << 20 // of bodies, in all
	maxList        = 100      // items shown by a list: the newest
)

var (
	errFull    = errors.New("sandbox: full")
	errMissing = errors.New("sandbox: no such item")
)

// An object is a JSON object. Stored ones are never changed, only replaced.
type object = map[string]any

// A store keeps collections by path. The zero value is empty.
type store struct {
	mu          sync.Mutex
	collections map[string]*collection
	bytes       int
}

// A collection keeps items in the order of their creation.
type collection struct {
	ids   []string // oldest first
	items map[string]item
}

type item struct {
	object object
	size   int // of the body it came from
}

// split cuts a path into the collection's and an item's id.
func split(path string) (collection, id string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// read returns the item a path names, or the list of the collection it names. found
// is false for an item that is missing from a collection that exists.
func (s *store) read(path string) (one object, list []object, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.collections[path]; c != nil {
		return nil, c.list(), true
	}
	parent, id := split(path)
	c := s.collections[parent]
	if c == nil {
		return nil, []object{}, true
	}
	it, ok := c.items[id]
	return it.object, nil, ok
}

func (c *collection) list() []object {
	ids := c.ids[max(0, len(c.ids)-maxList):]
	list := make([]object, 0, len(ids))
	for _, id := range ids {
		list = append(list, c.items[id].object)
	}
	return list
}

// create adds an item to the collection at path, under an id of its own unless the
// object brings one.
func (s *store) create(path string, o object, size int) (object, bool, error) {
	id, _ := o["id"].(string)
	if id == "" || len(id) > 100 || strings.ContainsFunc(id, needsEscape) {
		id = newID()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(path, id, o, size)
}

// replace stores the item at path, which need not exist.
func (s *store) replace(path string, o object, size int) (object, bool, error) {
	parent, id := split(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(parent, id, o, size)
}

// merge sets members of the item at path.
func (s *store) merge(path string, o object, size int) (object, bool, error) {
	parent, id := split(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.collections[parent]
	if c == nil {
		return nil, false, errMissing
	}
	old, ok := c.items[id]
	if !ok {
		return nil, false, errMissing
	}
	merged := maps.Clone(old.object)
	maps.Copy(merged, o)
	return s.put(parent, id, merged, old.size+size)
}

// put stores an item; s.mu is held.
func (s *store) put(path, id string, o object, size int) (object, bool, error) {
	c := s.collections[path]
	if s.bytes+size > maxBytes || size > maxBody*4 || c == nil && len(s.collections) >= maxCollections {
		return nil, false, errFull
	}
	if c == nil {
		if s.collections == nil {
			s.collections = make(map[string]*collection)
		}
		c = &collection{items: make(map[string]item)}
		s.collections[path] = c
	}
	o["id"] = id
	old, existed := c.items[id]
	if !existed {
		if len(c.ids) == maxItems {
			s.bytes -= c.items[c.ids[0]].size
			delete(c.items, c.ids[0])
			c.ids = slices.Delete(c.ids, 0, 1)
		}
		c.ids = append(c.ids, id)
	}
	c.items[id] = item{o, size}
	s.bytes += size - old.size
	return o, !existed, nil
}

// remove deletes the item at path, and reports whether there was one.
func (s *store) remove(path string) bool {
	parent, id := split(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.collections[parent]
	if c == nil {
		return false
	}
	it, ok := c.items[id]
	if !ok {
		return false
	}
	s.bytes -= it.size
	delete(c.items, id)
	c.ids = slices.DeleteFunc(c.ids, func(x string) bool { return x == id })
	return true
}

// needsEscape reports whether a character cannot stand for itself in a path.
func needsEscape(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-_.", r))
}

// newID returns an id for an item. It identifies and protects nothing.
func newID() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return "rec_" + hex.EncodeToString(b[:])
}
