package contract

// Kinds of credential that every contract has beside those of its keys section. They
// let whatever looks at a kind (limits, refusals, logs) treat all callers alike. None
// of them is in [Contract.Kinds].
const (
	kindClient  = "client"          // an OAuth client, known by its secret or its key
	kindAccount = "service_account" // a service account, known by a token it signed
	kindToken   = "access_token"    // an access token of Cardea's own, signed or opaque
	kindIssuer  = "trusted_issuer"  // a token of a trusted issuer, or of an organization's own
)

// reservedKinds are the names that a kind of key may not have.
var reservedKinds = []string{kindClient, kindAccount, kindToken, kindIssuer}

// ClientKind returns the kind of OAuth clients' secrets. It is never nil.
func (c *Contract) ClientKind() *KeyKind { return c.reserved[0] }

// AccountKind returns the kind of service accounts, who have no secret. It is never nil.
func (c *Contract) AccountKind() *KeyKind { return c.reserved[1] }

// TokenKind returns the kind of access tokens; its prefixes are those of opaque ones.
// It is never nil.
func (c *Contract) TokenKind() *KeyKind { return c.reserved[2] }

// IssuerKind returns the kind of tokens that others issued. It is never nil.
func (c *Contract) IssuerKind() *KeyKind { return c.reserved[3] }

// reserved makes the kinds that every contract has. Their indexes follow those of the
// contract's own.
func (k *compiler) reserved() {
	n := len(k.c.environments)
	everywhere := make([]bool, n)
	for i := range everywhere {
		everywhere[i] = true
	}
	for i, name := range reservedKinds {
		kind := &KeyKind{
			Name: name, Label: reservedLabels[i], Plural: reservedLabels[i] + "s", Owner: OwnerOrganization, Shape: ShapePrefix,
			Prefixes: make([]string, n), Environments: everywhere, Index: len(k.c.kinds) + i,
		}
		k.c.reserved = append(k.c.reserved, kind)
	}
	if c := k.c.clients; c != nil {
		kind := k.c.ClientKind()
		kind.Label, kind.Plural, kind.Prefixes, kind.Line = c.Label, c.Plural, c.SecretPrefixes, c.Line
		kind.RevealAlways, kind.Scopes, kind.DefaultScopes = c.RevealAlways, c.Scopes, c.DefaultScopes
		kind.CreatedBy, kind.MaxPerOwner = c.CreatedBy, c.MaxPerOwner
		kind.ExchangeOnly = true // a client secret opens no route
	}
	if a := k.c.serviceAccounts; a != nil {
		kind := k.c.AccountKind()
		kind.Label, kind.Plural, kind.Scopes, kind.Line = a.Label, a.Label+"s", a.Scopes, a.Line
	}
	k.c.TokenKind().Scopes = k.c.AllScopes()
	for _, t := range []*AccessToken{k.c.tokens.User, k.c.tokens.Machine} {
		if t != nil && t.Format == TokenOpaque {
			k.c.TokenKind().Prefixes = t.Prefixes
		}
	}
	k.c.IssuerKind().Scopes = k.c.AllScopes()
}

// reservedLabels name the reserved kinds on pages, unless their section does.
var reservedLabels = [...]string{"OAuth application", "Service account", "Access token", "External token"}
