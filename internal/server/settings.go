package server

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Settings are what an operator decides about one running Cardea, as opposed to the
// contract, which says what the product promises. [DefaultSettings] returns the values
// that hold when nothing is said; the zero value is not useful.
type Settings struct {
	// Contract is the contract file.
	Contract string

	// Listen and TLSListen are the addresses that serve the product's hosts, in clear
	// and over TLS; "" turns one off.
	Listen, TLSListen string

	// TLSCert and TLSKey are PEM files; they are read again when they change. Needed
	// exactly when TLSListen is set.
	TLSCert, TLSKey string

	// ManagementListen serves the management API, health and metrics.
	ManagementListen string

	// Data is the directory of everything Cardea keeps: the SQLite files, the master
	// key, the management token. It is made with mode 0700 when missing.
	Data string

	// Database is a PostgreSQL DSN; "" keeps SQLite files in Data.
	Database string

	// MasterKeyFile holds the key that seals what must stay readable; "" means
	// master.key in Data. It is made on the first start.
	MasterKeyFile string

	// TokenFile receives the first management token; "" means management.token in
	// Data.
	TokenFile string

	// TrustedProxies are the networks whose X-Forwarded-For is believed. None by
	// default: a header that anybody can send proves nothing.
	TrustedProxies []netip.Prefix

	LogFormat string // "json" or "text"
	LogLevel  string // "debug", "info", "warn" or "error"

	// KeepRequests and KeepRequestBytes bound the request log by age and by size,
	// whichever is reached first.
	KeepRequests     time.Duration
	KeepRequestBytes int64

	// DrainTimeout is how long requests in flight may take after a stop was asked
	// for.
	DrainTimeout time.Duration

	// CacheSize bounds the credentials held in memory.
	CacheSize int
}

// DefaultSettings returns what holds when nothing is said.
func DefaultSettings() Settings {
	var s Settings
	for _, setting := range SettingsTable() {
		if err := setting.set(&s, setting.Default); err != nil {
			panic(err) // the table is part of the program
		}
	}
	return s
}

// masterKeyFile returns the path of the master key.
func (s *Settings) masterKeyFile() string {
	return cmp.Or(s.MasterKeyFile, filepath.Join(s.Data, "master.key"))
}

// tokenFile returns the path of the first management token.
func (s *Settings) tokenFile() string {
	return cmp.Or(s.TokenFile, filepath.Join(s.Data, "management.token"))
}

// keepDays returns how many whole days the request log is kept, at least one.
func (s *Settings) keepDays() int {
	const day = 24 * time.Hour
	return max(1, int((s.KeepRequests+day-1)/day))
}

// Validate reports what does not go together, all of it at once.
func (s *Settings) Validate() error {
	var p problems
	if s.Listen == "" && s.TLSListen == "" {
		p.add("listen", "nothing to listen on: set listen, tls-listen or both")
	}
	p.address("listen", s.Listen)
	p.address("tls-listen", s.TLSListen)
	p.address("management-listen", s.ManagementListen)
	if s.ManagementListen == "" {
		p.add("management-listen", "must not be empty: keys are managed through it")
	}
	if s.TLSListen != "" && (s.TLSCert == "" || s.TLSKey == "") {
		p.add("tls-listen", "needs tls-cert and tls-key")
	}
	if s.TLSListen == "" && (s.TLSCert != "" || s.TLSKey != "") {
		p.add("tls-cert", "has no use without tls-listen")
	}
	if s.Database != "" {
		p.dsn(s.Database)
	}
	if !slices.Contains([]string{"json", "text"}, s.LogFormat) {
		p.add("log-format", "must be json or text")
	}
	if _, err := parseLevel(s.LogLevel); err != nil {
		p.add("log-level", "must be debug, info, warn or error")
	}
	if s.DrainTimeout < 0 || s.KeepRequests < 0 || s.KeepRequestBytes < 0 {
		p.add("keep-requests", "must not be negative, nor may drain-timeout and keep-request-bytes")
	}
	if s.CacheSize < 1024 {
		p.add("cache-size", "must be at least 1024")
	}
	return p.err()
}

// problems collects what is wrong with settings; none of its texts quotes a value,
// since one of them holds a password.
type problems []string

func (p *problems) add(setting, text string) { *p = append(*p, setting+": "+text) }

func (p *problems) address(setting, address string) {
	if address == "" {
		return
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		p.add(setting, "must be an address such as :8080 or 127.0.0.1:8080")
	}
}

func (p *problems) dsn(dsn string) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		p.add("database", "must be a PostgreSQL address such as postgres://user@host/name")
	}
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return fmt.Errorf("settings: %s", strings.Join(p, "\nsettings: "))
}
