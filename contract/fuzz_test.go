package contract

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad shows that no text makes Load panic, that every problem lies inside the
// file, and that what loads can be asked anything.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	examples, err := filepath.Glob("../examples/*/cardea.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(append(seeds, examples...), "default.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Load("fuzz.yaml", data)
		if err != nil {
			var problems Problems
			if c != nil || !errors.As(err, &problems) || !problems.Failed() {
				t.Fatalf("%v, %T", c, err)
			}
			checkPlaces(t, data, problems)
			return
		}
		checkPlaces(t, data, c.Warnings())
		c.NewRequestID()
		for _, r := range c.Routes() {
			c.Match("GET", r.Pattern)
			if r.Answer != nil {
				r.Answer.Render(nil, func(name string) string { return name })
			}
		}
		for reason := range c.denials {
			if c.denials[reason] != nil {
				c.denials[reason].render(Vars{})
			}
		}
	})
}
