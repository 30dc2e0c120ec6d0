package insight

import "github.com/cardea-dev/cardea"

// questions are what the steps of a decision ask, in their order. A test holds it
// complete.
var questions = [...]struct {
	step cardea.Step
	text string
}{
	{cardea.StepRoute, "The target is in its canonical form, and a route of the contract matches it"},
	{cardea.StepCredential, "Exactly one credential is sent"},
	{cardea.StepShape, "Its form is one of the contract's, and its checksum holds"},
	{cardea.StepVerify, "It exists"},
	{cardea.StepStanding, "It is not revoked, disabled, expired or idle, and its organization is not suspended"},
	{cardea.StepEnvironment, "It belongs to the environment that the request is for"},
	{cardea.StepAddress, "The client's address is on the address lists"},
	{cardea.StepScope, "It has the scopes that the route needs"},
	{cardea.StepHook, "No hook objects"},
	{cardea.StepLimit, "It is within its limits"},
	{cardea.StepUpstream, "The API behind Cardea answers"},
}

// steps returns the steps of the decision up to the one that decided. An allowed request
// has passed all of them; of a decision that could not be made nothing is known.
func (s *situation) steps() []Step {
	if s.request.Reason == cardea.ReasonUnavailable {
		return nil
	}
	var list []Step
	for _, q := range questions {
		refused := q.step == s.request.Step
		list = append(list, Step{Name: q.step.String(), Text: q.text, Passed: !refused})
		if refused {
			return list
		}
	}
	if s.request.Reason != cardea.ReasonAllowed {
		return nil // the log does not say which step it was
	}
	return list
}
