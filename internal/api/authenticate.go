package api

import (
	"net/http"
	"strings"

	"github.com/cardea-dev/cardea"
)

// Authenticate returns the actor that a request's management token stands for, or an
// error of kind Unauthorized. It is exported for handlers that stand beside the API
// on the same listener.
func (h *Handler) Authenticate(r *http.Request) (cardea.Actor, error) {
	token, err := bearer(r.Header)
	if err != nil {
		return cardea.Actor{}, err
	}
	actor, failure := h.manager.Authenticate(r.Context(), token, peerOf(r))
	if failure != nil {
		return cardea.Actor{}, failure
	}
	actor.RequestID = idOf(r)
	return actor, nil
}

// Fail answers a request with an error in the API's form. It is exported for handlers
// that stand beside the API on the same listener.
func (h *Handler) Fail(w http.ResponseWriter, r *http.Request, err error) { h.fail(w, r, err) }

// bearer returns the token of the Authorization header (RFC 6750 §2.1). A repeated
// header is refused, never guessed.
func bearer(header http.Header) (string, error) {
	values := header.Values("Authorization")
	switch len(values) {
	case 0:
		return "", cardea.Errorf(cardea.KindUnauthorized, "send a management token: Authorization: Bearer …")
	case 1:
	default:
		return "", cardea.Errorf(cardea.KindUnauthorized, "more than one Authorization header was sent")
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", cardea.Errorf(cardea.KindUnauthorized, "the Authorization header must be: Bearer …")
	}
	return token, nil
}
