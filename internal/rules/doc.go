// Package rules says what people may write and choose when they manage things: names,
// addresses, scopes, expiries, what a client may be.
//
// Its functions are pure: contract and input in, value or problems out. Who may do
// something, and what is there already, is asked elsewhere. Their errors are
// [cardea.Error] values of kind Invalid that name the member of the input and never quote
// what it says.
package rules
