package pages

import (
	"strconv"
	"time"
)

// Account shows people what is theirs: the ways they sign in, where they are signed in,
// and which applications act for them.
type Account struct {
	Problem string // what was wrong with the change just asked for, or ""
	Notice  string // what was just done, or ""

	Name, Email, Organization, Role string

	HasPassword   bool
	MayPassword   bool // the contract offers passwords
	MinLength     int
	MayAddPasskey bool
	Passkeys      []Passkey
	Sessions      []Session
	Apps          []App
}

// A Passkey as its owner sees it.
type Passkey struct {
	ID       string // base64url
	Name     string
	Created  Instant
	LastUsed Instant
}

// A Session as the person sees it.
type Session struct {
	ID      string
	Device  string // "Firefox on Linux"
	Address string
	Method  string // "password", "passkey", …
	Created Instant
	Seen    Instant
	Current bool // the one the page was asked with
}

// An App is an application that acts for the person.
type App struct {
	Consent string // id
	Client  Client
	Scopes  []Scope
	Since   Instant
	Until   Instant // zero: until withdrawn
}

// An Instant is a time as pages show it: in words beside the exact time, in UTC because
// a page without JavaScript cannot know the reader's zone.
type Instant struct {
	At  time.Time
	Now time.Time
}

// IsZero reports whether there is no time to show.
func (i Instant) IsZero() bool { return i.At.IsZero() }

// Exact returns the time for machines, RFC 3339 in UTC.
func (i Instant) Exact() string { return i.At.UTC().Format(time.RFC3339) }

// Full returns the exact time for people.
func (i Instant) Full() string { return i.At.UTC().Format("2 January 2006, 15:04 UTC") }

// Short returns the time in words, relative where that is what people ask.
func (i Instant) Short() string {
	switch d := i.Now.Sub(i.At); {
	case d < 0:
		return i.At.UTC().Format("2 Jan 2006")
	case d < 2*time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute") + " ago"
	case d < 24*time.Hour:
		return plural(int(d/time.Hour), "hour") + " ago"
	case d < 14*24*time.Hour:
		return plural(int(d/(24*time.Hour)), "day") + " ago"
	}
	return i.At.UTC().Format("2 Jan 2006")
}

// plural returns a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
