package oauth

import "github.com/cardea-dev/cardea/contract"

// browserBindings returns the endpoints that people's browsers and readers of metadata
// come to.
func (s *Server) browserBindings(c *contract.Contract) []*binding { return nil }
