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

	// Users are people who can sign in.
	Users []User `json:"users"`

	// Staff is who can sign in to the operator's console, nil when somebody set it up before
	// the demo could.
	Staff *User `json:"staff"`

	// Clients holds one working OAuth client by grant: "client_credentials",
	// "authorization_code", "device_code"; empty when the contract has no clients.
	Clients map[string]Client `json:"clients"`

	// ServiceAccountFile is the path of a service account's key file, "" when the
	// contract has no service accounts.
	ServiceAccountFile string `json:"service_account_file"`

	// Issuer and IssuerTLS are base URLs of an issuer that the contract trusts, "" when
	// it trusts none: POST Issuer/token with a JSON object of claims returns
	// {"token": "…"}.
	Issuer    string `json:"issuer"`
	IssuerTLS string `json:"issuer_tls"`
}

// A User is a person who can sign in.
type User struct {
	Email        string `json:"email"`
	Password     string `json:"password"`
	Organization string `json:"organization"` // its name, as people type it
}

// A Client is an OAuth client of the demo organization.
type Client struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"` // "" for a public client
	RedirectURI  string `json:"redirect_uri"`  // "" for a client without one
}

// write writes the ready file: whole, and for its owner's eyes only.
func (r *Ready) write(name string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return server.WritePrivate(name, append(text, '\n'))
}
