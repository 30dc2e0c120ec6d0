// Package signing keeps the keys that Cardea signs tokens with.
//
// A key belongs to one environment and one algorithm: its kid tells the environment of
// a token, and a test key can never sign for live. Private halves are sealed with the
// master key; only the process that signs holds them open.
//
// A key's life is four instants, fixed when it is decided and never switched by a timer,
// so every node agrees on them and a restart changes nothing:
//
//	CreatedAt  it is published in the key set document
//	SignsAt    it signs, a cache time later, when everybody has fetched it
//	RetiredAt  it signs no more: its successor does
//	ExpiresAt  it verifies no more: the last token it signed has expired
//
// A key that got into wrong hands is revoked instead: it stops verifying at once, on
// this node before the call returns, and every token that it signed dies with it.
package signing
