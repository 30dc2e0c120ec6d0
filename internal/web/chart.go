package web

import (
	"time"

	"github.com/go-json-experiment/json"
)

// A Chart is what the part "chart" draws: lines over common times, and the same numbers
// as a table.
type Chart struct {
	Times []time.Time
	Lines []Line

	// Bars draws bars instead of lines: for counts of whole days.
	Bars bool
}

// A Line is one series of a [Chart]: as many values as there are times.
type Line struct {
	Name   string
	Tone   string // "accent", "danger", "warn" or "good"; "" for the accent
	Values []int64
}

// MarshalJSON returns what the script reads: seconds since 1970, and the series.
func (c Chart) MarshalJSON() ([]byte, error) {
	type line struct {
		Name   string  `json:"name"`
		Tone   string  `json:"tone"`
		Values []int64 `json:"values"`
	}
	out := struct {
		Times []int64 `json:"times"`
		Lines []line  `json:"lines"`
		Bars  bool    `json:"bars"`
	}{Times: []int64{}, Lines: []line{}, Bars: c.Bars}
	for _, t := range c.Times {
		out.Times = append(out.Times, t.Unix())
	}
	for _, l := range c.Lines {
		out.Lines = append(out.Lines, line(l))
	}
	return json.Marshal(out)
}

// An Option is one choice of the part "select".
type Option struct{ Value, Text string }
