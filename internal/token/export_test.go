package token

// VerifySignature verifies a token's envelope and nothing of what it says.
func VerifySignature(text string, find Finder) error {
	h, _, err := open(text)
	if err != nil {
		return err
	}
	if h.jwk != nil {
		return ErrMalformed
	}
	return verifySignature(text, h.Header, find)
}

// All are the algorithms that tokens are verified with.
func All() []string {
	out := make([]string, len(algorithms))
	for i, a := range algorithms {
		out[i] = string(a)
	}
	return out
}

// Limits of the cache.
const (
	RefreshAfter = refreshAfter
	RecheckAfter = recheckAfter
	RefillEvery  = refillEvery
	Burst        = burst
)

// Envelopes returns how many headers are remembered, and how many may be.
func Envelopes() (have, most int) {
	remembered.mu.RLock()
	defer remembered.mu.RUnlock()
	return len(remembered.of), maxEnvelopes
}

// ForgetEnvelopes forgets all headers.
func ForgetEnvelopes() {
	remembered.mu.Lock()
	defer remembered.mu.Unlock()
	clear(remembered.of)
}
