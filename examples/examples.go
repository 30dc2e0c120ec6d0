// Package examples holds contracts of real products' Authentication pages. Each folder
// is one page: cardea.yaml is what the page promises, and the .txtar scripts beside it
// replay the page's own commands.
package examples

import (
	"embed"
	"slices"
)

//go:embed */cardea.yaml
var contracts embed.FS

// Names returns the names of the examples, sorted.
func Names() []string {
	entries, err := contracts.ReadDir(".")
	if err != nil {
		return nil // the file system is part of the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}

// Contract returns the text of an example's contract, and whether there is such an
// example.
func Contract(name string) ([]byte, bool) {
	if !slices.Contains(Names(), name) {
		return nil, false
	}
	text, err := contracts.ReadFile(name + "/cardea.yaml")
	return text, err == nil
}
