package authz

import "github.com/cardea-dev/cardea"

// standing is step 5: nothing has ended the credential, and it is of a kind that opens
// routes.
func (j *judgement) standing() cardea.Reason {
	if reason := j.ended(); reason != pass {
		return reason
	}
	kind := j.entry.profile.kind
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

// ended returns why the credential is no longer good anywhere. The first rule that
// applies is the reason: what somebody did comes before what time did.
func (j *judgement) ended() cardea.Reason {
	e := j.entry
	j.OldSecret = e.profile.flags&oldSecret != 0
	switch {
	case e.profile.flags&revoked != 0:
		return cardea.ReasonRevoked
	case e.profile.flags&disabled != 0:
		return cardea.ReasonDisabled
	case e.account.suspended || e.profile.flags&suspended != 0:
		return cardea.ReasonSuspended
	case e.until != 0 && j.now.UnixMicro() >= e.until:
		if e.profile.flags&superseded != 0 {
			return cardea.ReasonSuperseded
		}
		return cardea.ReasonExpired
	}
	idle := e.profile.kind.Idle
	if idle > 0 && j.now.Unix()-int64(e.lastUsed()) > int64(idle.Seconds()) {
		return cardea.ReasonIdle
	}
	return pass
}
