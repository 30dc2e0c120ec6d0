package authz

import (
	"strings"
	"sync"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
)

// Test credentials behave on command: in an environment that the contract marks with
// test_credentials, a valid secret followed by "_" and one of these words is answered as
// the word says. Programs can so be tried against refusals that are hard to bring about.
// A word never opens anything: without it the secret would have been let through.

// A role is what a test credential plays.
type role struct {
	word   string
	step   cardea.Step
	reason cardea.Reason
}

var roles = []role{
	{"expired", cardea.StepStanding, cardea.ReasonExpired},
	{"revoked", cardea.StepStanding, cardea.ReasonRevoked},
	{"disabled", cardea.StepStanding, cardea.ReasonDisabled},
	{"address_refused", cardea.StepAddress, cardea.ReasonAddress},
	{"forbidden", cardea.StepScope, cardea.ReasonScope},
	{"rate_limited", cardea.StepLimit, cardea.ReasonRateLimited},
	{"quota_exceeded", cardea.StepLimit, cardea.ReasonQuota},
	{"flaky", cardea.StepLimit, cardea.ReasonUnavailable}, // every second time
}

// acts recognises a test credential at step 3: the secret in front of the word is of a
// form that the scheme has, in an environment that may be played with. Where the secret
// does not tell its environment, the next steps do.
func (j *judgement) acts() bool {
	if j.req == noRequest {
		return false
	}
	for _, r := range roles {
		text, ok := strings.CutSuffix(j.text, r.word)
		if text, ok2 := strings.CutSuffix(text, "_"); ok && ok2 {
			f := j.scheme.recognize(text)
			if f == nil || f.env != nil && !f.env.TestCredentials || !f.holds(text) {
				continue
			}
			j.role, j.text, j.form, j.hash = r, text, f, secret.HashOf(text)
			j.entry = j.view.table.get(&j.hash)
			return true
		}
	}
	return false
}

// play gives the answer that a test credential was asked for. By now it is known to be a
// good one of the environment.
func (j *judgement) play() (cardea.Step, cardea.Reason) {
	switch {
	case j.role.word == "":
		return cardea.StepNone, pass
	case j.role.word == "flaky" && !j.a.flaky.fails(j.entry.credentialID()):
		return cardea.StepNone, pass
	}
	if j.role.step == cardea.StepLimit {
		j.peek()
		j.Limit.Remaining, j.Limit.RetryAfter = 0, 60-j.now.Unix()%60
	}
	j.test = j.role.word
	return j.role.step, j.role.reason
}

// flaky counts the requests of test credentials whose every second one fails.
type flaky struct {
	mu    sync.Mutex
	count map[string]int // :: credential → requests
}

// maxFlaky bounds how many credentials are counted at a time.
const maxFlaky = 1 << 12

// fails reports whether this request is one of those that fail: the first does not.
func (f *flaky) fails(credential string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil || len(f.count) >= maxFlaky {
		f.count = map[string]int{}
	}
	f.count[credential]++
	return f.count[credential]%2 == 0
}
