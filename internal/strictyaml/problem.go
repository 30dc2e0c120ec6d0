package strictyaml

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Severity says whether a problem keeps a contract from loading.
type Severity uint8

// The severities.
const (
	SeverityError   Severity = iota // the contract is refused
	SeverityWarning                 // the contract loads; somebody should look
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == SeverityWarning {
		return "warning"
	}
	return "error"
}

// A Problem is one thing wrong with a contract, and where.
type Problem struct {
	File string

	// Line and Column say where, both counted from 1; columns count characters, not
	// bytes. Width is how many characters of the line are meant, at least 1.
	Line, Column, Width int

	// Source is the text of the line, as it is in the file. It may hold anything:
	// [Problems.Format] makes it safe to print.
	Source string

	Message    string
	Suggestion string // how to mend it, or ""
	Severity   Severity
}

// Error returns place and message on one line, without the source.
func (p Problem) Error() string {
	text := fmt.Sprintf("%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Severity, p.Message)
	if p.Suggestion != "" {
		text += "; " + p.Suggestion
	}
	return text
}

// Problems are all the problems of a contract in the order of the file. As an error
// it holds at least one of SeverityError.
type Problems []Problem

// Error returns what [Problems.Format] writes.
func (ps Problems) Error() string {
	var b strings.Builder
	_ = ps.Format(&b) // a Builder never fails
	return strings.TrimSuffix(b.String(), "\n")
}

// Failed reports whether one of the problems is an error.
func (ps Problems) Failed() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == SeverityError })
}

// Format writes the problems the way a good compiler does: place, message, the line,
// a caret under the spot and what would mend it. Whatever the file holds, what is
// written has no control characters but line ends.
func (ps Problems) Format(w io.Writer) error {
	for i, p := range ps {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, p.format()); err != nil {
			return err
		}
	}
	return nil
}

// format renders one problem with its line and caret.
func (p Problem) format() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s: %s\n", p.File, p.Line, p.Column, p.Severity, p.Message)
	number := strconv.Itoa(p.Line)
	margin := strings.Repeat(" ", len(number))
	line, caret := p.excerpt()
	fmt.Fprintf(&b, "  %s | %s\n", number, line)
	fmt.Fprintf(&b, "  %s | %s\n", margin, caret)
	if p.Suggestion != "" {
		fmt.Fprintf(&b, "  %s = %s\n", margin, p.Suggestion)
	}
	return b.String()
}

// excerptWidth is how many characters of a long line are shown.
const excerptWidth = 100

// excerpt returns the printable part of the line around the column, and the caret line
// that goes under it.
func (p Problem) excerpt() (line, caret string) {
	at, start := p.Column-1, 0
	lead, tail := "", ""
	if at > excerptWidth*3/4 {
		start, lead = at-excerptWidth/2, "…"
	}
	var shown []rune
	i := 0
	for _, r := range strings.TrimRight(p.Source, "\r\n") {
		if i == start+excerptWidth {
			tail = "…"
			break
		}
		if i >= start {
			shown = append(shown, Printable(r))
		}
		i++
	}
	end := start + len(shown)
	width := max(1, min(p.Width, end-at))
	line = lead + string(shown) + tail
	caret = strings.Repeat(" ", utf8.RuneCountInString(lead)+at-start) + "^" + strings.Repeat("~", width-1)
	return line, caret
}

// Printable returns r, or a stand-in of the same width for what a terminal must not
// be sent.
func Printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r == utf8.RuneError, !unicode.IsPrint(r):
		return '�'
	}
	return r
}

// Quote renders a name from the file for a message: escaped, and cut when it is long.
func Quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		return strconv.Quote(string([]rune(s)[:most])) + "…"
	}
	return strconv.Quote(s)
}

// A Pos is a place in the file. The zero value is no place.
type Pos struct{ Line, Column, Width int }

// A Reporter collects the problems of one file.
type Reporter struct {
	file  string
	lines []string
	list  []*Problem
}

// MaxProblems bounds the report: nobody mends more at once, and a hostile file must
// not grow it.
const MaxProblems = 200

// New returns a Reporter for a file's text.
func New(file string, text string) *Reporter {
	return &Reporter{file: file, lines: strings.Split(text, "\n")}
}

// LineText returns a line of the file by its number, "" outside of it.
func (r *Reporter) LineText(number int) string {
	if number < 1 || number > len(r.lines) {
		return ""
	}
	return r.lines[number-1]
}

// Errorf records an error; a suggestion may be added to it.
func (r *Reporter) Errorf(p Pos, format string, args ...any) Mend {
	return r.report(SeverityError, p, fmt.Sprintf(format, args...))
}

// Warnf records a warning.
func (r *Reporter) Warnf(p Pos, format string, args ...any) Mend {
	return r.report(SeverityWarning, p, fmt.Sprintf(format, args...))
}

// report records a problem at the nearest place inside the file: parsers count lines of
// their own past the end.
func (r *Reporter) report(s Severity, p Pos, message string) Mend {
	if len(r.list) > MaxProblems {
		return Mend{&Problem{}} // nobody will read it
	}
	line := min(max(p.Line, 1), len(r.lines))
	source := strings.TrimSuffix(r.lines[line-1], "\r")
	column := min(max(p.Column, 1), utf8.RuneCountInString(source)+1)
	problem := &Problem{
		File: r.file, Line: line, Column: column, Width: max(p.Width, 1),
		Source: source, Message: message, Severity: s,
	}
	if len(r.list) == MaxProblems {
		problem.Message = "too many problems; the rest is not shown"
	}
	r.list = append(r.list, problem)
	return Mend{problem}
}

// A Mend adds to a problem how to mend it.
type Mend struct{ problem *Problem }

// Suggest sets how to mend the problem.
func (m Mend) Suggest(format string, args ...any) {
	m.problem.Suggestion = fmt.Sprintf(format, args...)
}

// Full reports whether nothing more is taken: looking further is wasted.
func (r *Reporter) Full() bool { return len(r.list) > MaxProblems }

// Failed reports whether an error was recorded.
func (r *Reporter) Failed() bool {
	return slices.ContainsFunc(r.list, func(p *Problem) bool { return p.Severity == SeverityError })
}

// Problems returns what was recorded in the order of the file.
func (r *Reporter) Problems() Problems {
	all := make(Problems, 0, len(r.list))
	for _, p := range r.list {
		all = append(all, *p)
	}
	slices.SortStableFunc(all, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.CompactFunc(all, func(a, b Problem) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
}
