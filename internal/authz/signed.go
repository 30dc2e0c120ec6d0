package authz

import "context"

// signedForm is what a token that proves itself looks like: three parts of base64url.
var signedForm = &form{}

// findSigned verifies a token that proves itself and reads how those stand whom it names.
func (a *Authorizer) findSigned(ctx context.Context, v *view, q *question, fl *flight) error {
	return nil
}

func (a *Authorizer) fillOpaque(v *view, q *question, l any) *entry { return nil }
