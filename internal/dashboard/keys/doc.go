// Package keys holds the pages of keys: list, create, the secret that is shown once, change, rotate,
// revoke, and the quick start.
package keys
