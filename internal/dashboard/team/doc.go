// Package team holds the pages on who belongs to an organization and what is the
// organization's own: members, IP lists, trusted issuers, single sign-on, settings. The
// company's own people are the members of an organization too, so that their page in the
// console is here as well.
package team
