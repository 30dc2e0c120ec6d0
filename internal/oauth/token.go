package oauth

import "net/http"

// token serves the token endpoint: RFC 6749 §3.2.
func (s *Server) token(w http.ResponseWriter, r *request) {
	var err error
	if r.params, err = readParams(r.Request, r.binding.token.JSON); err != nil {
		s.fail(w, r, err)
		return
	}
	s.fail(w, r, refuse(codeUnsupportedGrantType, "the grant_type is not one of this endpoint"))
}

// isBusy reports whether an error means that it is worth trying again.
func isBusy(error) bool { return false }
