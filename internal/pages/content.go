package pages

// SignIn asks who somebody is. With an organization chosen it is the second step of a
// sign-in that begins with the organization.
type SignIn struct {
	Action   string // where the form goes
	Continue string // where to go afterwards: a path of this host, or ""
	Problem  string // what was wrong with the attempt before, or ""
	Notice   string // what was just done, or ""
	Email    string // as typed before

	// Title is the contract's word over the form; "" for "Sign in to" and the product.
	Title string

	// Organization is what was typed for the organization; shown with a way to change
	// it when Chosen, else asked for as an optional member of the form.
	Organization string
	Chosen       bool

	// The ways to sign in that the contract offers.
	Password, Passkey, SSO bool
}

// Organization asks for the organization, as the first step of signing in or before
// leaving for its own identity provider.
type Organization struct {
	Action   string
	Continue string
	Title    string // "" for "Sign in to" and the product
	Label    string // of the field, from the contract: "Enter your org name"
	Value    string // as typed before
	Problem  string
	Notice   string // what was just done, or ""
}

// Leave sends the browser to another site, at once or on a click: what an answer to a
// form cannot do by a redirect, because the policy of pages keeps forms on this host.
type Leave struct {
	Host string // the other site's
	Text string // why; "" for that the browser goes there now
	URL  string // absolute; of a page, a program's address on this device, or its own scheme
}

// Consent asks whether an application may act for the person. The answer is the form's
// member "decision": "allow" or "deny".
type Consent struct {
	Action  string
	Fields  []Field // hidden
	Problem string

	Client Client
	Scopes []Scope

	Account      string // the address of the person asked
	Organization string // the name of the organization whose data it is about
	Environment  string // the label of the environment, "" when there is one only
	Switch       string // the path of a way to be somebody else; "" for none

	// RedirectHost is where the browser goes with the answer, for people to compare
	// with the application's name; "" when it goes nowhere (a device).
	RedirectHost string

	// Local: the answer goes to a program on the person's own device, which any program
	// there may claim to be.
	Local bool

	// Remembered says for how long: "until you withdraw it", "for 90 days".
	Remembered string

	// Code is the code that a device shows, for people to compare; "" when there is none.
	Code string
}

// A Client is an application as people are shown it.
type Client struct {
	Name string

	// Host is the host that vouches for the name: that of a client id metadata document
	// or of the home page. "" when nobody does.
	Host string

	// LogoURL is where its picture is; only one over TLS is shown. The browser tells its
	// host that somebody is asked, and nothing else: leave it "" for a client that nobody
	// here has looked at.
	LogoURL string

	// Links; only https ones are shown.
	HomeURL, PolicyURL, TermsURL string

	// Unverified: somebody out of our sight registered it, so its name may be anyone's.
	Unverified bool

	// Address and Agent say where a device asks from; "" when not known.
	Address, Agent string
}

// A Scope is one thing that is asked for.
type Scope struct {
	Name        string
	Description string
	New         bool // not granted to this client before
}

// Device asks for the code that a device shows (RFC 8628 §3.3). The form's member is
// "user_code".
type Device struct {
	Action  string
	Fields  []Field
	Code    string // as typed before, or from the link
	Problem string
}

// NewPassword lets somebody with an invitation or a reset link choose a password. The
// form's members are "token", "password" and "again".
type NewPassword struct {
	Action       string
	Heading      string // "Welcome to Acme", "Choose a new password"
	Text         string
	Button       string
	Token        string // of the link
	Email        string
	Organization string
	Problem      string
	MinLength    int // of a password, in characters
}

// SetUp lets the first of the company's own people give themselves an account. The form's
// members are "token", "name", "email", and where passwords are offered "password" and
// "again".
type SetUp struct {
	Action      string
	Token       string // of the link
	Name, Email string // as typed before
	Problem     string
	Password    bool // the contract offers passwords
	MinLength   int  // of one, in characters
}

// Message tells something, and where to go from there.
type Message struct {
	Heading string
	Text    string
	Link    *Link // nil: nowhere
	Button  *Button
}

// A Link leads to a page of this host.
type Link struct{ URL, Text string }

// A Button is a form with nothing but a button.
type Button struct {
	Action string
	Fields []Field
	Text   string
}

// Error tells what went wrong and what to do about it, never the cause.
type Error struct {
	Heading   string
	Text      string
	Reference string // the id to quote to support, or ""
	Link      *Link
}
