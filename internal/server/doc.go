// Package server puts the parts of Cardea together and runs them: settings, listeners,
// the contract that is in force, reloading it, health, metrics and an orderly end.
//
// [New] opens the store, compiles the contract and binds the listeners, so that every
// mistake of the operator shows before anything is served; [Server.Run] serves until its
// context ends and then drains: no new connection is taken, what is in flight is
// finished, the usage records are written, the store is closed.
//
// The package holds wiring and no policy. Two listeners face the world (plain and TLS)
// and serve the product's hosts; a third one, on loopback unless told otherwise, serves
// the management API, /healthz, /readyz and /metrics.
package server
