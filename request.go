package cardea

import (
	"net/http"
	"net/netip"
)

// A Request is one HTTP request that a door asks Cardea to judge. A door fills it
// from what arrived, unchanged: cleaning, trusting and interpreting are the
// decision's work, so that every door agrees.
type Request struct {
	// ID is the request id, in the contract's form; it appears in the error body,
	// the response header and the request log. The door makes it with
	// contract.NewRequestID.
	ID string

	// Method is the request method, RFC 9110 §9.1. Case matters.
	Method string

	// Host is the host the client named, as sent, port included.
	Host string

	// Target is the request target exactly as received (RFC 9112 §3.2.1): path and
	// query, still encoded. It is matched and forwarded byte for byte.
	Target string

	// Header holds the request headers under their canonical names. The decision
	// reads it and never changes it.
	Header http.Header

	// TLS says that the connection it came over is encrypted.
	TLS bool

	// Peer is the address of the connection's other end: a client, or a trusted
	// proxy. The zero value is an unknown peer, which no IP list admits.
	Peer netip.Addr
}
