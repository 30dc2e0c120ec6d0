package api

import "github.com/cardea-dev/cardea/internal/manage"

// Names returns "id: METHOD path" of every operation, for comparison with the document.
func Names(m *manage.Manager) (names []string) {
	for _, op := range operations(m) {
		names = append(names, op.ID+": "+op.Pattern)
	}
	return names
}

// Open returns the ids of the operations that need no token.
func Open(m *manage.Manager) map[string]bool {
	ids := map[string]bool{}
	for _, op := range operations(m) {
		ids[op.ID] = op.Open
	}
	return ids
}
