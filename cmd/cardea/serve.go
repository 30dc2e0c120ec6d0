package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cardea-dev/cardea/internal/server"
)

// gcPercent is how much the heap may grow between collections, unless GOGC says so.
const gcPercent = 40

// serveCommand is `cardea serve`.
func serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run Cardea in front of your API",
		Long: `Runs Cardea in front of your API. Settings come from flags, from environment variables
(CARDEA_LISTEN for --listen, and so on) and from a settings file, in this order.

The first start makes a master key and a management token in the data directory, in
files of their own. SIGHUP, or a changed file, reloads contract and certificate; a
contract with problems is logged and the old one stays in force. SIGTERM drains.`,
		Example: "  cardea serve -c cardea.yaml --listen :8080 --data /var/lib/cardea",
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := loadSettings(c)
			if err != nil {
				return err
			}
			if err := settings.Validate(); err != nil {
				return usagef("%w", err)
			}
			if err := contractThere(settings.Contract); err != nil {
				return err
			}
			log, err := server.NewLogger(c.ErrOrStderr(), settings.LogFormat, settings.LogLevel)
			if err != nil {
				return usagef("%w", err)
			}
			if os.Getenv("GOGC") == "" {
				// Most of the heap is known credentials, which live long: collecting
				// a little earlier costs little and halves what waits for it.
				debug.SetGCPercent(gcPercent)
			}
			s, err := server.New(c.Context(), server.Config{Settings: settings, Logger: log})
			if err != nil {
				return err
			}
			return s.Run(c.Context())
		},
	}
	settingFlags(c.Flags())
	return c
}

// contractThere returns an error when there is no contract file: what to do then is
// what whoever starts Cardea for the first time needs to be told.
func contractThere(file string) error {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return usagef("there is no contract file %s: name yours with -c, or write one with: cardea init", file)
	}
	return nil
}

// settingFlags adds a flag for every setting, or for those that are named.
func settingFlags(f *pflag.FlagSet, only ...string) {
	f.String("settings", "", "settings `FILE` in YAML (CARDEA_SETTINGS)")
	for _, s := range server.SettingsTable() {
		if len(only) > 0 && !slices.Contains(only, s.Name) {
			continue
		}
		short := ""
		if s.Name == "contract" {
			short = "c"
		}
		usage := s.Usage + " (" + s.Environment()
		if s.Default != "" {
			usage += "; default " + s.Default
		}
		f.StringP(s.Name, short, "", usage+")")
	}
}

// loadSettings returns the settings that flags, environment and file give.
func loadSettings(c *cobra.Command) (server.Settings, error) {
	given := map[string]string{}
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "settings" {
			given[f.Name] = f.Value.String()
		}
	})
	file := firstOf(c.Flag("settings").Value.String(), os.Getenv("CARDEA_SETTINGS"))
	settings, err := server.LoadSettings(file, os.LookupEnv, given)
	if err != nil {
		return settings, usagef("%w", err)
	}
	return settings, nil
}

// free reports whether an address can be listened on right now.
func free(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	l.Close()
	return true
}
