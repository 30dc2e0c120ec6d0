package oauth

import (
	"net/http"
	"slices"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/discovery"
)

// metadataAge is how long metadata may be kept: short, because a contract may change.
const metadataAge = "public, max-age=300"

// serveMetadata answers with the authorization server's metadata (RFC 8414 §3, OpenID
// Connect Discovery §4). One document serves both: whoever reads it skips what it has no
// name for.
func (s *Server) serveMetadata(w http.ResponseWriter, r *request) {
	s.publish(w, r, discovery.Server(r.contract, r.origin, assertionAlgorithms))
}

// serveResource answers with the metadata of the API as a protected resource: RFC 9728 §3.
func (s *Server) serveResource(w http.ResponseWriter, r *request) {
	s.publish(w, r, discovery.Resource(r.contract, r.origin))
}

// publish answers with a document that everybody may read and keep for a while.
func (s *Server) publish(w http.ResponseWriter, r *request, d discovery.Document) {
	o := make(object, len(d))
	for i, m := range d {
		o[i] = member{m.Name, m.Value}
	}
	body, err := o.text()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.publishText(w, r, body, metadataAge)
}

// readMethods are those of documents.
var readMethods = []string{http.MethodGet, http.MethodHead}

// documentBindings returns where metadata is: where the contract says, and on the same
// host wherever the standards put it.
func documentBindings(c *contract.Contract) []*binding {
	e := c.Endpoints()
	server, openID, resource := discovery.Paths(c)
	return slices.Concat(
		documentBinding(e.Metadata, (*Server).serveMetadata, server),
		documentBinding(e.OpenID, (*Server).serveMetadata, openID),
		documentBinding(e.Resource, (*Server).serveResource, resource))
}

// documentBinding returns the places of one document: the endpoint, and on its host other
// paths.
func documentBinding(e *contract.Endpoint, serve func(*Server, http.ResponseWriter, *request), paths []string) []*binding {
	if e == nil {
		return nil
	}
	all := []*binding{{endpoint: e, methods: readMethods, public: true, serve: serve}}
	for _, path := range paths {
		if !slices.ContainsFunc(all, func(b *binding) bool { return b.endpoint.Path == path }) {
			at := &contract.Endpoint{Host: e.Host, Path: path}
			all = append(all, &binding{endpoint: at, methods: readMethods, public: true, serve: serve})
		}
	}
	return all
}
