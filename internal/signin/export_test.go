package signin

import "github.com/cardea-dev/cardea/contract"

// Paths returns every path of the table with the methods that it allows.
func Paths(s *Server) map[string]string {
	all := map[string]string{}
	for path, r := range s.routes {
		all[path] = allowed(r)
	}
	return all
}

// Onward is what becomes of a continue parameter.
func Onward(s *Server, c *contract.Contract, text string) string {
	return (&visit{Server: s, contract: c}).onward(text)
}
