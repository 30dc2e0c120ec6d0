package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/internal/dev"
	"github.com/cardea-dev/cardea/internal/server"
)

// devCommand is `cardea dev`.
func devCommand() *cobra.Command {
	var cfg dev.Config
	var level string
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole Cardea for development, with demo data and a sandbox API",
		Long: `Runs a whole Cardea on this machine alone: demo organization, one working secret of
every kind and environment, a sandbox in place of the API behind it, and a clock that
can be moved (POST MANAGEMENT/v1/dev/clock {"advance": "720h"}). Any host name works.
Edits of the contract take effect at once.

Without -c it reads cardea.yaml; without that file it runs a built-in contract.`,
		Example: "  cardea dev\n  cardea dev -c cardea.yaml --upstream http://127.0.0.1:9000",
		RunE: func(c *cobra.Command, _ []string) error {
			if cfg.Contract == "" {
				if _, err := os.Stat("cardea.yaml"); err == nil {
					cfg.Contract = "cardea.yaml"
				}
			}
			if cfg.Contract != "" {
				if err := contractThere(cfg.Contract); err != nil {
					return err
				}
			}
			if !c.Flags().Changed("listen") && !free(cfg.Listen) {
				return fmt.Errorf("%s is in use by another program; stop it, or choose another port: cardea dev --listen 127.0.0.1:8090", cfg.Listen)
			}
			log, err := server.NewLogger(c.ErrOrStderr(), "text", level)
			if err != nil {
				return usagef("--log-level: %w", err)
			}
			cfg.Logger, cfg.Banner = log, c.OutOrStdout()
			cfg.Management = managementAddress(c, cfg.Management, cfg.Listen)
			d, err := dev.New(c.Context(), cfg)
			if err != nil {
				return err
			}
			return d.Run(c.Context())
		},
	}
	f := c.Flags()
	f.StringVarP(&cfg.Contract, "contract", "c", "", "contract `FILE` (default cardea.yaml, or a built-in one)")
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "`ADDRESS` of the API on loopback")
	f.StringVar(&cfg.TLSListen, "tls-listen", "", "`ADDRESS` of the same over TLS, with a certificate of the development CA")
	f.StringVar(&cfg.Management, "management-listen", "127.0.0.1:8081", "`ADDRESS` of the management API; another port is taken when this default is in use")
	f.StringVar(&cfg.Data, "data", "", "`DIR` to keep data in (default: a temporary one)")
	f.StringVar(&cfg.Upstream, "upstream", "", "base `URL` of a real API instead of the sandbox")
	f.StringVar(&cfg.ReadyFile, "ready-file", "", "`FILE` to write addresses and secrets to, as JSON, once everything answers")
	f.StringVar(&level, "log-level", "warn", "debug, info, warn or error")
	return c
}

// managementAddress returns where the management API listens. The default gives way:
// to whoever has its port already, and to callers that want a free port for the API
// and know nothing of this one.
func managementAddress(c *cobra.Command, address, api string) string {
	if c.Flags().Changed("management-listen") {
		return address
	}
	if strings.HasSuffix(api, ":0") || !free(address) {
		return "127.0.0.1:0"
	}
	return address
}
