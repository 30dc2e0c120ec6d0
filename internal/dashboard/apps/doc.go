// Package apps holds the pages of OAuth applications, service accounts, a person's own credentials, the
// applications they authorized, and where they are signed in.
package apps
