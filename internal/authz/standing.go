package authz

import "github.com/cardea-dev/cardea"

// standing is step 5: nothing has ended the credential. The first rule that applies
// is the reason: what somebody did comes before what time did.
func (j *judgement) standing() cardea.Reason {
	e := j.entry
	j.OldSecret = e.profile.flags&oldSecret != 0
	switch {
	case e.profile.flags&revoked != 0:
		return cardea.ReasonRevoked
	case e.profile.flags&disabled != 0:
		return cardea.ReasonDisabled
	case e.account.suspended:
		return cardea.ReasonSuspended
	case e.until != 0 && j.now.UnixMicro() >= e.until:
		if e.profile.flags&superseded != 0 {
			return cardea.ReasonSuperseded
		}
		return cardea.ReasonExpired
	}
	kind := e.profile.kind
	if kind.Idle > 0 && j.now.Unix()-int64(e.lastUsed()) > int64(kind.Idle.Seconds()) {
		return cardea.ReasonIdle
	}
	switch {
	case kind.ExchangeOnly:
		return cardea.ReasonExchangeOnly
	case kind.RefuseBrowsers && len(j.req.Header["Origin"]) > 0:
		// Pages cannot keep a secret. This keeps honest pages honest: a program that
		// wants to pass leaves Origin out.
		return cardea.ReasonBrowser
	}
	return pass
}
