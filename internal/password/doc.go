// Package password hashes and checks the passwords that people choose.
//
// Hashes are argon2id (RFC 9106) in the PHC string format. A hash takes tens of
// milliseconds and 19 MiB by intention, so the number at once is bounded and so is the
// queue: a storm of sign-ins cannot starve the requests that Cardea exists for.
package password
