package server

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cardea-dev/cardea/internal/manage"
)

// env returns a look-up in a map.
func env(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

// TestSettingsPrecedence holds that flags beat the environment, which beats the file,
// which beats the defaults.
func TestSettingsPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	text := "listen: ':1'\nlog_level: debug\ndata: from-file\ntrusted_proxies: [10.0.0.0/8, '2001:db8::1']\nkeep_requests: 2d\nkeep_request_bytes: 500MiB\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := LoadSettings(file, env(map[string]string{"CARDEA_LISTEN": ":2", "CARDEA_DATA": "from-env"}),
		map[string]string{"data": "from-flag"})
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultSettings()
	want.Listen, want.Data, want.LogLevel = ":2", "from-flag", "debug"
	want.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}
	want.KeepRequests, want.KeepRequestBytes = 48*time.Hour, 500<<20
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestSettingsMistakesAreNamed holds that every mistake is told at once, with where it
// was made, and never with the value: one of them holds a password.
func TestSettingsMistakesAreNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte("listen: ':1'\nlisten_tls: ':2'\ncache_size: hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadSettings(file, env(map[string]string{"CARDEA_TRUSTED_PROXIES": "10.0.0.7/8"}),
		map[string]string{"drain-timeout": "soon", "database": "postgres://cardea:hunter2@db/cardea"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		file + ":2: listen_tls: no such setting", file + ":3: cache_size: must be a number",
		"CARDEA_TRUSTED_PROXIES: a network has bits set beyond its length",
		"--drain-timeout: must be a time", "--database: holds a password",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error quotes a value: %v", err)
	}
}

// TestSettingsThatDoNotGoTogether holds what Validate refuses.
func TestSettingsThatDoNotGoTogether(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Settings)
		want   string
	}{
		{"nothing to listen on", func(s *Settings) { s.Listen = "" }, "listen: nothing to listen on"},
		{"no port", func(s *Settings) { s.Listen = "localhost" }, "listen: must be an address"},
		{"TLS without certificate", func(s *Settings) { s.TLSListen = ":443" }, "tls-listen: needs tls-cert and tls-key"},
		{"certificate without TLS", func(s *Settings) { s.TLSCert = "cert.pem" }, "tls-cert: has no use"},
		{"no management", func(s *Settings) { s.ManagementListen = "" }, "management-listen: must not be empty"},
		{"another database", func(s *Settings) { s.Database = "mysql://db" }, "database: must be a PostgreSQL address"},
		{"log format", func(s *Settings) { s.LogFormat = "xml" }, "log-format: must be json or text"},
		{"log level", func(s *Settings) { s.LogLevel = "loud" }, "log-level: must be"},
		{"cache size", func(s *Settings) { s.CacheSize = 1 }, "cache-size: must be"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := DefaultSettings()
			tt.change(&s)
			if err := s.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	s := DefaultSettings()
	if err := s.Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
}

// TestMasterKeyIsMadeOnceAndNeverReplaced holds that a damaged key file stops the start:
// another key would make what is sealed unreadable for good.
func TestMasterKeyIsMadeOnceAndNeverReplaced(t *testing.T) {
	name := filepath.Join(t.TempDir(), "data", "master.key")
	first, created, err := loadMasterKey(name)
	if err != nil || !created {
		t.Fatalf("first start: created %v, %v", created, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	again, created, err := loadMasterKey(name)
	if err != nil || created || again != first {
		t.Errorf("second start: created %v, same %v, %v", created, again == first, err)
	}
	if err := os.WriteFile(name, []byte("dGVzdA==\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := loadMasterKey(name); err == nil {
		t.Error("a file that holds no key was accepted")
	}
}

// TestWritePrivateReplacesWhole holds mode and content of files with secrets in them,
// and that nothing is left beside them.
func TestWritePrivateReplacesWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ready.json")
	for _, content := range []string{"one", "two, longer"} {
		if err := WritePrivate(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		info, statErr := os.Stat(name)
		if err != nil || statErr != nil || string(got) != content || info.Mode().Perm() != 0o600 {
			t.Errorf("content %q, mode %v, %v, %v", got, info.Mode(), err, statErr)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// TestForeignMasterKeyStopsTheStart holds that a server never seals with a second key
// beside the first: what the first sealed would be lost without a word. Where nothing is
// sealed a lost key costs nothing, since every other secret is kept as a hash.
func TestForeignMasterKeyStopsTheStart(t *testing.T) {
	settings := DefaultSettings()
	settings.Listen, settings.ManagementListen, settings.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	text := strings.NewReplacer("UPSTREAM", "http://127.0.0.1:1", "owner: organization", "owner: organization\n    reveal: always").Replace(keyContract)
	start := func() (*Server, error) {
		return New(t.Context(), Config{Settings: settings, ContractText: []byte(text), Logger: slog.New(slog.DiscardHandler)})
	}
	lose := func() {
		if err := os.Remove(settings.masterKeyFile()); err != nil {
			t.Fatal(err)
		}
	}
	for _, sealed := range []bool{false, true} {
		s, err := start()
		if err != nil {
			t.Fatalf("with nothing sealed under another key: %v", err)
		}
		if sealed {
			o, err := s.Manager().CreateOrganization(t.Context(), self, manage.CreateOrganization{Name: "Acme"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Manager().CreateKey(t.Context(), self, manage.CreateKey{Organization: o.ID, Name: "key"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		lose()
	}
	if s, err := start(); err == nil || !strings.Contains(err.Error(), "is not the key that sealed") {
		if s != nil {
			s.Close()
		}
		t.Errorf("with a foreign key: %v", err)
	}
}
