package oauth

import "net/http"

// cors answers a CORS preflight; done says that the request is answered.
func (s *Server) cors(w http.ResponseWriter, r *request) (done bool) { return false }

// allowOrigin lets a page of a registered origin read the answer.
func (s *Server) allowOrigin(h http.Header, r *request) {}
