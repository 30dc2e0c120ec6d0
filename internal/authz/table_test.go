package authz

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cardea-dev/cardea/internal/secret"
)

// hashFrom returns a hash whose sets and tag come from small ranges, so that all
// kinds of collisions happen.
func hashFrom(home, second, tag, rest byte) (h secret.Hash) {
	h[0], h[16], h[8], h[31] = home, second, tag, rest
	return h
}

// Guarantee: the table returns what was put last and not removed, and nothing else,
// whatever collides. Only a full pair of sets loses something.
func TestTableAgreesWithMap(t *testing.T) { rapid.Check(t, tableAgrees) }

func FuzzTableAgreesWithMap(f *testing.F) { f.Fuzz(rapid.MakeFuzz(tableAgrees)) }

func tableAgrees(t *rapid.T) {
	table, model := newTable(1), map[secret.Hash]*entry{}
	small := rapid.ByteRange(0, 3)
	for range rapid.IntRange(1, 400).Draw(t, "steps") {
		h := hashFrom(small.Draw(t, "home"), small.Draw(t, "second"), small.Draw(t, "tag"), small.Draw(t, "rest"))
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			table.remove(&h)
			delete(model, h)
		default:
			e := &entry{hash: h}
			table.put(e)
			model[h] = e
		}
		if got := table.get(&h); got != model[h] {
			t.Fatalf("got %p, want %p", got, model[h])
		}
	}
	present := 0
	for h, e := range model {
		switch got := table.get(&h); got {
		case e:
			present++
		case nil: // displaced
		default:
			t.Fatal("an entry that was replaced is still there")
		}
	}
	if present != int(table.count.Load()) {
		t.Fatalf("count %d, %d present", table.count.Load(), present)
	}
}

// Guarantee: a table keeps practically everything up to its capacity, and never more
// than its sets can hold.
func TestTableGrowsToItsBound(t *testing.T) {
	const capacity = 50_000
	table, random := newTable(capacity), rand.NewChaCha8([32]byte{})
	var all []secret.Hash
	for i := range 4 * capacity {
		var h secret.Hash
		_, _ = random.Read(h[:])
		e := &entry{hash: h}
		e.setUse(uint32(i), 0)
		table.put(e)
		if all = append(all, h); i != capacity {
			continue
		}
		kept := 0
		for j := range all {
			if table.get(&all[j]) != nil {
				kept++
			}
		}
		if kept < capacity*999/1000 {
			t.Errorf("%d of %d kept", kept, capacity)
		}
	}
	if sets := len(*table.sets.Load()); int(table.count.Load()) > sets*wayCount || sets > table.maxSets {
		t.Errorf("%d entries in %d sets", table.count.Load(), sets)
	}
	if table.get(&all[len(all)-1]) == nil {
		t.Error("the newest entry must be there")
	}
}

// Guarantee: readers see an entry from put to remove without interruption, also while
// the table grows and its neighbours come and go.
func TestTableReadsDuringWrites(t *testing.T) {
	table, random := newTable(1<<16), rand.NewChaCha8([32]byte{1})
	fresh := func() *entry {
		e := &entry{}
		_, _ = random.Read(e.hash[:])
		return e
	}
	steady := fresh()
	table.put(steady)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if table.get(&steady.hash) != steady {
					t.Error("lost for a moment")
					return
				}
			}
		})
	}
	var last []*entry
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
		e := fresh()
		table.put(e)
		if last = append(last, e); len(last) > 30_000 {
			table.remove(&last[0].hash)
			last = last[1:]
		}
	}
	close(stop)
	wg.Wait()
}
