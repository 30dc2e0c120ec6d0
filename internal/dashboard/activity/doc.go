// Package activity holds the pages on what happens: usage, limits, errors, the request
// log, the audit log, webhooks. All but the webhooks change nothing.
//
// Every filter is in the address of a page, so that a link to what somebody sees can be
// passed on. What an address holds is other people's text: a value that a page does not
// know is left out, and one that cannot be is answered with a sentence.
package activity
