// Package keys holds the pages of keys: the list, making one, the secret that is shown
// once, and everything that can happen to a key afterwards.
//
// What the pages call things comes from the contract: the kinds of key and their names,
// the texts of buttons and fields, scopes and permissions, and whether environments are
// places of their own ("spaces") or a property of a key. What somebody may do is decided
// by package manage; the pages ask [web.Visit.May] to leave out what would be refused.
package keys
