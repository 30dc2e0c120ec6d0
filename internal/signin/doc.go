// Package signin is the door that people come in by: sign-in and sign-out pages, their
// account, one-time links, the code of a command line. It translates between browsers
// and package people and holds no policy of its own.
package signin
