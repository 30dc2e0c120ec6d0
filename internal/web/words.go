package web

import (
	"errors"
	"github.com/go-json-experiment/json"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A moment is a time as pages show it: in UTC until a script puts it into the reader's
// zone, and exactly on hover.
type moment struct{ Exact, Full, Short string }

// when returns a time for the template "when", nil for the zero time.
func when(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &moment{Exact: t.Format(time.RFC3339Nano), Full: t.Format("Monday, 2 January 2006, 15:04:05.000 UTC"), Short: t.Format("2 Jan 2006, 15:04 UTC")}
}

// day returns a time as the value of a date field, "" for the zero time.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// count returns a number with its thousands apart.
func count(n any) (string, error) {
	var v int64
	switch n := n.(type) {
	case int:
		v = int64(n)
	case int64:
		v = n
	case uint64:
		v = int64(n)
	default:
		return "", errors.New("count: not a whole number")
	}
	text := strconv.FormatInt(max(v, -v), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if v < 0 {
		return "-" + text, nil
	}
	return text, nil
}

// since returns a span in words, as its largest unit.
func since(d time.Duration) string {
	d = max(d, -d)
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= unit.length {
			return plural(int(d/unit.length), unit.name)
		}
	}
	return "less than a second"
}

// plural returns a number and its noun.
func plural(n int, noun string) string {
	text, _ := count(n) // of an int
	if n == 1 {
		return text + " " + noun
	}
	return text + " " + noun + "s"
}

// size returns a number of bytes in its largest unit.
func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i == 0 || v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64) + " " + units[i]
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[i]
}

// emblem returns the first letter of a name.
func emblem(name string) string {
	for _, r := range name {
		return string(r)
	}
	return ""
}

// dict returns the members of a part's dot: key, value, key, value.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a key without a value")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict: a key that is no text")
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// toJSON returns a value for an attribute that a script reads.
func toJSON(v any) (string, error) {
	out, err := json.Marshal(v)
	return string(out), err
}

// sentence returns a public text of an error as a sentence, beginning with the field it
// is about.
func sentence(field, text string) string {
	if field != "" {
		text = field + " " + text
	}
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "!") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	return text
}

// wrong returns what is wrong with a field as a sentence. The texts of errors go on from
// their field's name, which stands above already.
func wrong(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); unicode.IsLower(first) {
		text = "This " + text
	}
	return sentence("", text)
}

// icon returns a symbol of the sprite, for the eye only.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" aria-hidden="true" focusable="false"><use href="` + assetPath("icons.svg") + "#" + template.HTMLEscapeString(name) + `"/></svg>`)
}

// spark returns a small drawing of daily numbers, oldest first, with its sum in words for
// those who do not see it.
func spark(days []int64) template.HTML {
	var top, sum int64
	for _, n := range days {
		top, sum = max(top, n), sum+n
	}
	words, _ := count(sum) // of an int64
	label := words + " requests in " + plural(len(days), "day")
	var points strings.Builder
	for i, n := range days {
		y := 23.0
		if top > 0 {
			y -= float64(n) / float64(top) * 22
		}
		points.WriteString(strconv.Itoa(i*3) + "," + strconv.FormatFloat(y, 'f', 1, 64) + " ")
	}
	return template.HTML(`<svg class="spark" role="img" aria-label="` + label + `" viewBox="0 0 ` + strconv.Itoa(max(len(days)-1, 1)*3) + ` 24" preserveAspectRatio="none"><polyline points="` + strings.TrimSpace(points.String()) + `"/></svg>`)
}
