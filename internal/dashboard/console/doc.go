// Package console holds the pages of the company's own people: every organization, plans, the contract,
// issuers, hooks, signing keys, health.
package console
