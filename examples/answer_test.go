package examples_test

import (
	"fmt"
	"strconv"
	"strings"
)

// An answer is the head of an HTTP/1.1 response as it came over the wire.
type answer struct {
	status int
	fields []field
	head   string
}

// A field is a header line, its name in the case it was sent in.
type field struct{ name, value string }

// readAnswers reads what curl's --dump-header wrote: the heads of all responses.
// Interim ones (100 Continue) are left out.
func readAnswers(raw []byte) []answer {
	var all []answer
	for _, head := range strings.Split(string(raw), "\r\n\r\n") {
		lines := strings.Split(head, "\r\n")
		parts := strings.SplitN(lines[0], " ", 3)
		if len(parts) < 2 {
			continue // after the last
		}
		a := answer{head: head}
		a.status, _ = strconv.Atoi(parts[1]) // 0 is no status anybody expects
		if a.status >= 100 && a.status < 200 {
			continue
		}
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ":")
			a.fields = append(a.fields, field{name, strings.TrimSpace(value)})
		}
		all = append(all, a)
	}
	return all
}

// header returns the value of a header that was sent once, in exactly this case; a name
// in lower case stands for every case.
func (a answer) header(name string) (string, error) {
	var found []field
	for _, f := range a.fields {
		if strings.EqualFold(f.name, name) {
			found = append(found, f)
		}
	}
	switch {
	case len(found) == 0:
		return "", fmt.Errorf("no header %s in\n%s", name, a.head)
	case len(found) > 1:
		return "", fmt.Errorf("header %s %d times in\n%s", name, len(found), a.head)
	case found[0].name != name && name != strings.ToLower(name):
		return "", fmt.Errorf("header %s is spelt %s", name, found[0].name)
	}
	return found[0].value, nil
}
