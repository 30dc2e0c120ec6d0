package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// A printer writes data to standard output, as a table for people or as JSON for
// programs, and talk to standard error.
type printer struct {
	out, talk io.Writer
	json      bool
}

// say writes a line for people.
func (p printer) say(format string, args ...any) {
	fmt.Fprintf(p.talk, format+"\n", args...)
}

// A column is one column of a table: a title and how to get it from an item.
type column[T any] struct {
	title string
	text  func(T) string
}

// printList writes items as a table with a title line, or as a JSON array.
func printList[T any](p printer, columns []column[T], items []T) error {
	if p.json {
		if items == nil {
			items = []T{}
		}
		return p.encode(items)
	}
	return p.table(func(w io.Writer) {
		row(w, columns, func(c column[T]) string { return strings.ToUpper(c.title) })
		for _, item := range items {
			row(w, columns, func(c column[T]) string { return c.text(item) })
		}
	})
}

// table aligns what fill writes, cells separated by tabs, and leaves no blanks at the
// ends of lines.
func (p printer) table(fill func(io.Writer)) error {
	var aligned strings.Builder
	w := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	fill(w)
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(aligned.String()) {
		if _, err := fmt.Fprintln(p.out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// row writes one line of a table.
func row[T any](w io.Writer, columns []column[T], text func(column[T]) string) {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = cell(text(c))
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// printOne writes one item, a line per field that has a value, or as a JSON object.
func printOne[T any](p printer, columns []column[T], item T) error {
	if p.json {
		return p.encode(item)
	}
	return p.table(func(w io.Writer) {
		for _, c := range columns {
			if text := c.text(item); text != "" {
				fmt.Fprintf(w, "%s\t%s\n", c.title, cell(text))
			}
		}
	})
}

// encode writes a value as indented JSON.
func (p printer) encode(v any) error {
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// cell makes a text safe to print: what somebody called a key must not move the
// cursor, ring a bell or turn the writing around.
func cell(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == ' ' {
			return r
		}
		return '\uFFFD'
	}, text)
}

// when renders a time for people, "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// list joins texts for people.
func list(texts []string) string { return strings.Join(texts, ", ") }

// short cuts a text to what a table has room for; JSON output has it whole.
func short(text string) string {
	const most = 80
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
