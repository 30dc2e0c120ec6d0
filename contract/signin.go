package contract

import (
	"cmp"
	"time"
)

// SignIn is how people prove who they are: before they consent, when they type a
// device's code, and in the dashboard.
type SignIn struct {
	Title             string
	OrganizationFirst bool     // the organization is asked for before the account
	Methods           []string // of "password", "passkey", "sso", in the order of the page

	SessionIdle time.Duration // a session unused for this long ends
	SessionMax  time.Duration // the longest a session lasts
}

// SignIn returns how people sign in; every contract has its defaults.
func (c *Contract) SignIn() SignIn { return c.signIn }

// signIn compiles how people sign in. The page's title may stand in pages as well.
func (k *compiler) signIn() {
	v := k.d.SignIn
	s := SignIn{
		Title: v.Title.or(cmp.Or(k.c.Page("sign_in").Title, "Sign in")), OrganizationFirst: v.Organization.value,
		Methods:     []string{"password", "passkey", "sso"},
		SessionIdle: k.positive(v.Idle, 12*time.Hour), SessionMax: k.positive(v.Max, 7*24*time.Hour),
	}
	if v.Methods.given {
		s.Methods = texts(v.Methods)
	}
	if v.Methods.given && len(v.Methods.items) == 0 {
		k.r.Errorf(v.Methods.pos, "nobody could sign in").Suggest("remove the line for password, passkey and sso")
	}
	if s.SessionIdle > s.SessionMax {
		if v.Idle.given {
			k.r.Errorf(v.Idle.pos, "idle, %s, is longer than the longest session, %s, so it never ends one",
				v.Idle.value, Period{Duration: s.SessionMax})
		}
		s.SessionIdle = s.SessionMax
	}
	k.c.signIn = s
}
