package api

import (
	"net/http"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// Authenticate returns the actor that a request's token stands for, an operator or a
// signed-in member, or an error of kind Unauthorized. It is exported for handlers that
// stand beside the API on the same listener.
func (h *Handler) Authenticate(r *http.Request) (cardea.Actor, error) {
	token, err := bearer(r.Header)
	if err != nil {
		return cardea.Actor{}, err
	}
	actor, err := h.actor(r, token)
	if err != nil {
		return cardea.Actor{}, err
	}
	actor.RequestID = idOf(r)
	if peer := peerOf(r); actor.Address == "" && peer.IsValid() {
		actor.Address = peer.String()
	}
	return actor, nil
}

// actor returns whom a token stands for. Its form says which sort it is, so that no token
// is tried as both.
func (h *Handler) actor(r *http.Request, token string) (cardea.Actor, error) {
	switch {
	case manage.IsManagementToken(token) && !h.members, h.member == nil && !h.members:
		return h.manager.Authenticate(r.Context(), token, peerOf(r))
	case manage.IsManagementToken(token), h.member == nil:
		return cardea.Actor{}, cardea.Errorf(cardea.KindUnauthorized, "management tokens are not for this address: sign in")
	}
	actor, ok, err := h.member(r.Context(), token)
	switch {
	case err != nil:
		return cardea.Actor{}, err
	case !ok || actor.Type != "member" || actor.ID == "": // whatever else it were, it would be more
		return cardea.Actor{}, cardea.Errorf(cardea.KindUnauthorized, "the token is not valid, or the session is over: sign in again")
	}
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
