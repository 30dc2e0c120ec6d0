// Package people knows who a person is: signing in by password, passkey or the
// organization's own identity provider, sessions, one-time links and consents.
//
// What it protects: nobody learns from an answer, or from its time, who has an account;
// guessing is bounded per address and per account and cannot be used to lock the owner
// out; a session that was ended works nowhere from that moment.
package people
