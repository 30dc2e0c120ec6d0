// Package cardea is the vocabulary of Cardea: what is asked ([Request]), who asks
// ([Principal]), what is answered ([Decision]) and why ([Reason]), and who changes
// what ([Actor]).
//
// It imports the standard library only, so that a program which merely speaks to
// Cardea compiles no database driver. The words are those of the standards (RFC
// 6749, RFC 7519, RFC 9110); docs/ARCHITECTURE.md lists them.
package cardea
