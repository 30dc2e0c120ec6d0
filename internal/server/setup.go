package server

import (
	"context"
	"log/slog"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// appOrigin returns where people sign in: at the contract's app host, which is reached
// with TLS whatever ends it, or at the listener when there is none or any name will do.
func (s *Server) appOrigin(anyHost bool) string {
	if host := s.contract.get().Hosts().App; host != "" && !anyHost {
		return "https://" + host
	}
	return s.origin()
}

// offerSetup logs the link with which the first of the company's own people gives
// themselves an account, as long as there is nobody; links of earlier starts are worthless
// then. It is the one secret that is meant for a log: whoever starts Cardea reads it
// there, it works once, and for a day.
func (s *Server) offerSetup(ctx context.Context) {
	link, err := s.manager.CreateSetupLink(ctx, self, manage.None{})
	switch {
	case cardea.KindOf(err) == cardea.KindConflict && err != nil: // somebody is there
	case err != nil:
		s.log.Warn("no set-up link", slog.String("error", err.Error()))
	default:
		s.log.Info("nobody can sign in to the dashboard as an operator yet: open the link to make the first account",
			slog.String("link", link.URL.Reveal()), slog.Time("until", link.ExpiresAt))
	}
}
