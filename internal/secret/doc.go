// Package secret makes, recognises, hashes and seals the secrets that Cardea hands
// out. It does no I/O besides reading the system's random source.
//
// There are three forms:
//
//	prefix      <prefix><32 base62 characters><6 base62 characters of checksum>
//	uuid        RFC 9562 version 4, lower case
//	hex-32-12   32 hexadecimal digits, "-", 12 hexadecimal digits, lower case
//
// The checksum of the first form lets Cardea refuse a mistyped or made-up key without
// asking the database, and lets a scanner recognise a leaked one offline. It proves
// nothing: only the hash in the database does.
//
// Stored is the SHA-256 of the whole text, never the text. A slow hash would add
// nothing to 122 and more random bits, and would be a lever to overload the server.
package secret
