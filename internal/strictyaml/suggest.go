package strictyaml

import (
	"strings"
)

// FewNames is how many names a message lists.
const FewNames = 16

// DidYouMean sets a suggestion naming the candidate nearest to the name as written,
// or, when none is near, all of them if they are few.
func (m Mend) DidYouMean(name string, candidates []string) {
	if m.Guess(name, candidates) {
		return
	}
	if n := len(candidates); n > 0 && n <= FewNames {
		m.Suggest("known here: %s", strings.Join(candidates, ", "))
	}
}

// Guess sets a suggestion naming the candidate nearest to the name as written, and reports
// whether one is near. It is for messages that list the candidates already.
func (m Mend) Guess(name string, candidates []string) bool {
	best, ok := nearest(name, candidates)
	if ok {
		m.Suggest("did you mean %s?", Quote(best))
	}
	return ok
}

// nearest returns the candidate with the smallest edit distance to name, if it is
// small enough to be a slip of the finger.
func nearest(name string, candidates []string) (string, bool) {
	const longest = 64 // bounds the work on hostile names
	if len(name) > longest {
		return "", false
	}
	best, bestDistance := "", max(1, (len(name)+1)/3)+1
	for _, c := range candidates {
		if len(c) > longest {
			continue
		}
		if strings.EqualFold(c, name) {
			return c, true
		}
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < bestDistance && d < len(c) {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

// editDistance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, previous := make([]int, len(t)+1), make([]int, len(t)+1)
	current := make([]int, len(t)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(s); i++ {
		current[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(t)]
}
