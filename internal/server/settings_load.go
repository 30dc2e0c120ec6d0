package server

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// A Setting is one of [Settings] under the name it has everywhere: --tls-listen on the
// command line, CARDEA_TLS_LISTEN in the environment, tls_listen in the settings file.
type Setting struct {
	Name    string // "tls-listen"
	Default string // as it would be typed
	Usage   string // one line

	// Secret says that the value may hold a password, which must not stand on a
	// command line where every user of the machine can read it.
	Secret bool

	set func(*Settings, string) error
}

// Environment returns the name of the setting's environment variable.
func (s Setting) Environment() string {
	return "CARDEA_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Key returns the setting's key in the settings file.
func (s Setting) Key() string { return strings.ReplaceAll(s.Name, "-", "_") }

// SettingsTable lists every setting, in the order in which help shows them.
func SettingsTable() []Setting {
	text := func(field func(*Settings) *string) func(*Settings, string) error {
		return func(s *Settings, v string) error { *field(s) = v; return nil }
	}
	period := func(field func(*Settings) *time.Duration) func(*Settings, string) error {
		return func(s *Settings, v string) (err error) {
			*field(s), err = parseDuration(v)
			return err
		}
	}
	return []Setting{
		{Name: "contract", Default: "cardea.yaml", Usage: "contract file", set: text(func(s *Settings) *string { return &s.Contract })},
		{Name: "listen", Default: ":8080", Usage: "address of the product's hosts in clear; empty: none", set: text(func(s *Settings) *string { return &s.Listen })},
		{Name: "tls-listen", Usage: "address of the product's hosts over TLS; empty: none", set: text(func(s *Settings) *string { return &s.TLSListen })},
		{Name: "tls-cert", Usage: "PEM file of the certificate chain", set: text(func(s *Settings) *string { return &s.TLSCert })},
		{Name: "tls-key", Usage: "PEM file of its private key", set: text(func(s *Settings) *string { return &s.TLSKey })},
		{Name: "management-listen", Default: "127.0.0.1:8081", Usage: "address of the management API, health and metrics", set: text(func(s *Settings) *string { return &s.ManagementListen })},
		{Name: "data", Default: "cardea-data", Usage: "directory of the data", set: text(func(s *Settings) *string { return &s.Data })},
		{Name: "database", Usage: "PostgreSQL address; empty: SQLite in the data directory", Secret: true, set: text(func(s *Settings) *string { return &s.Database })},
		{Name: "master-key-file", Usage: "file of the master key (default DATA/master.key)", set: text(func(s *Settings) *string { return &s.MasterKeyFile })},
		{Name: "token-file", Usage: "file of the first management token (default DATA/management.token)", set: text(func(s *Settings) *string { return &s.TokenFile })},
		{Name: "trusted-proxies", Usage: "networks whose X-Forwarded-For is believed, separated by commas", set: setTrustedProxies},
		{Name: "log-format", Default: "json", Usage: "json or text", set: text(func(s *Settings) *string { return &s.LogFormat })},
		{Name: "log-level", Default: "info", Usage: "debug, info, warn or error", set: text(func(s *Settings) *string { return &s.LogLevel })},
		{Name: "keep-requests", Default: "7d", Usage: "age at which request log entries are deleted, such as 7d", set: period(func(s *Settings) *time.Duration { return &s.KeepRequests })},
		{Name: "keep-request-bytes", Default: "5GiB", Usage: "size to which the request log is kept, such as 5GiB", set: setKeepBytes},
		{Name: "drain-timeout", Default: "30s", Usage: "time that requests in flight get after a stop", set: period(func(s *Settings) *time.Duration { return &s.DrainTimeout })},
		{Name: "cache-size", Default: "1048576", Usage: "credentials held in memory at most", set: setCacheSize},
	}
}

// LoadSettings returns the defaults, overridden by the settings file (none when file is
// ""), overridden by environment variables, overridden by flags (values by setting
// name). The error names every value that does not parse and where it came from.
func LoadSettings(file string, lookup func(string) (string, bool), flags map[string]string) (Settings, error) {
	s := DefaultSettings()
	var failures []error
	if file != "" {
		failures = append(failures, s.readFile(file))
	}
	for _, setting := range SettingsTable() {
		if v, ok := lookup(setting.Environment()); ok {
			failures = append(failures, setting.apply(&s, v, setting.Environment()))
		}
		v, ok := flags[setting.Name]
		if !ok {
			continue
		}
		if setting.Secret && hasPassword(v) {
			failures = append(failures, fmt.Errorf("--%s: holds a password, which every user of this machine could read there; put it into %s or the settings file",
				setting.Name, setting.Environment()))
		}
		failures = append(failures, setting.apply(&s, v, "--"+setting.Name))
	}
	return s, errors.Join(failures...)
}

// apply sets the value and says in an error where it came from.
func (s Setting) apply(to *Settings, value, source string) error {
	if err := s.set(to, value); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	return nil
}

// readFile overrides s with the file's values. Unknown keys are errors: a misspelt
// setting must not be a silent default.
func (s *Settings) readFile(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(node.Content) == 0 {
		return nil
	}
	root := node.Content[0]
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: must be settings, one `name: value` a line", name, root.Line)
	}
	byKey := map[string]Setting{}
	for _, setting := range SettingsTable() {
		byKey[setting.Key()] = setting
	}
	var failures []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		source := fmt.Sprintf("%s:%d: %s", name, key.Line, key.Value)
		setting, known := byKey[key.Value]
		if !known {
			failures = append(failures, fmt.Errorf("%s: no such setting", source))
			continue
		}
		text, err := scalar(value)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", source, err))
			continue
		}
		failures = append(failures, setting.apply(s, text, source))
	}
	return errors.Join(failures...)
}

// scalar returns a value's text; a list becomes its elements with commas between.
func scalar(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, c := range n.Content {
			if c.Kind != yaml.ScalarNode {
				return "", errors.New("must be a list of plain values")
			}
			parts[i] = c.Value
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("must be a plain value or a list of them")
}

func hasPassword(dsn string) bool {
	u, err := url.Parse(dsn)
	if err != nil {
		return true // unreadable: assume the worst
	}
	_, has := u.User.Password()
	return has || u.Query().Has("password") || strings.Contains(dsn, "password=")
}

func setTrustedProxies(s *Settings, v string) error {
	s.TrustedProxies = nil
	for field := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := parseNetwork(field)
		if err != nil {
			return err
		}
		s.TrustedProxies = append(s.TrustedProxies, prefix)
	}
	return nil
}

// parseNetwork parses a network or a single address. Host bits are refused: who writes
// 10.0.0.7/8 means either one machine or all of them.
func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, errors.New("must be networks such as 10.0.0.0/8 or addresses")
	}
	if p != p.Masked() {
		return netip.Prefix{}, errors.New("a network has bits set beyond its length")
	}
	return p, nil
}

func setCacheSize(s *Settings, v string) (err error) {
	if s.CacheSize, err = strconv.Atoi(v); err != nil {
		return errors.New("must be a number")
	}
	return nil
}

func setKeepBytes(s *Settings, v string) error {
	digits := strings.TrimRight(v, "KMGTiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	factor, known := map[string]int64{"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[v[len(digits):]]
	if err != nil || !known || n > (1<<62)/factor {
		return errors.New("must be a size such as 500MiB or 5GiB")
	}
	s.KeepRequestBytes = n * factor
	return nil
}

// parseDuration parses Go's durations and days: "90s", "12h", "7d".
func parseDuration(v string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36500 {
			return 0, errors.New("must be a time such as 30s, 12h or 7d")
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, errors.New("must be a time such as 30s, 12h or 7d")
	}
	return d, nil
}
