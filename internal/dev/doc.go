// Package dev is `cardea dev`: a whole Cardea for one developer, on loopback, with an
// organization, a working secret of every kind, a sandbox in place of the API, a
// certificate authority of its own and a clock that can be moved.
//
// Newcomers, tests and the examples use it alike. What it must never be is reachable
// from elsewhere: it shows secrets and moves time, so it refuses to listen on anything
// but loopback.
package dev
