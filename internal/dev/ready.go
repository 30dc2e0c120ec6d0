package dev

import (
	"encoding/json"

	"github.com/cardea-dev/cardea/internal/server"
)

// Ready is what a program that started `cardea dev` needs to know. It is the content of
// the ready file; the names of its members are part of the interface.
type Ready struct {
	// API, Auth, App and Management are base URLs without a trailing slash. With
	// --tls-listen the first three are of the TLS listener when no other is open.
	API        string `json:"api"`
	Auth       string `json:"auth"`
	App        string `json:"app"`
	Management string `json:"management"`

	// ManagementToken is a working management token.
	ManagementToken string `json:"management_token"`

	// CA is the path of the development CA's certificate in PEM, "" without TLS.
	CA string `json:"ca"`

	// TLS is the address of the TLS listener, "" without one.
	TLS string `json:"tls"`

	// Organization is the id of the demo organization.
	Organization string `json:"organization"`

	// Secrets holds one working secret by kind of key and environment.
	Secrets map[string]map[string]string `json:"secrets"`
}

// write writes the ready file: whole, and for its owner's eyes only.
func (r *Ready) write(name string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return server.WritePrivate(name, append(text, '\n'))
}
