// Package activity holds the pages on what happens: usage, limits, errors, the request log, the audit log,
// webhooks.
package activity
