package api

// Names returns "id: METHOD path" of every operation, for comparison with the document.
func Names(c Config) (names []string) {
	for _, op := range operations(c) {
		names = append(names, op.ID+": "+op.Pattern)
	}
	return names
}

// Open returns the ids of the operations that need no token.
func Open(c Config) map[string]bool {
	ids := map[string]bool{}
	for _, op := range operations(c) {
		ids[op.ID] = op.Open
	}
	return ids
}
