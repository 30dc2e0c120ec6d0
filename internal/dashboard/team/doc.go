// Package team holds the pages of an organization: members, IP lists, trusted issuers, single sign-on,
// settings.
package team
