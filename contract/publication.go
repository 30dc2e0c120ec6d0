package contract

// A Page is a page of the dashboard: where it is in the menu and what its buttons say.
type Page struct {
	Name   string
	Path   []string // [Settings, API Keys]
	Title  string
	Labels map[PageLabel]string

	// Required are fields people must fill in although the API has a default.
	Required []PageLabel
}

// Page returns the dashboard page with the given name; its zero value when the
// contract does not have it.
func (c *Contract) Page(name string) Page {
	for _, p := range c.pages {
		if p.Name == name {
			return p
		}
	}
	return Page{}
}

// Pages returns the dashboard pages in the file's order.
func (c *Contract) Pages() []Page { return c.pages }

// PageLabel is an action or a field that a page has a text for.
type PageLabel string

// Docs is what the published page says beyond the contract's rules.
type Docs struct {
	Title          string
	Intro          string
	Columns        []string   // headings of the table of methods
	Methods        [][]string // its rows
	Practices      []string
	SecretManagers []string
	Status         map[string]string // by error code
	RedirectURI    string            // of the page's samples, or ""
	Support        string
	LLMs           bool // /llms.txt and /llms-full.txt
	Markdown       bool // every page as Markdown too
}

// Docs returns what the published page says.
func (c *Contract) Docs() Docs { return c.docs }

// CLI describes the product's command line.
type CLI struct {
	Name      string
	EnvPrefix string
	Commands  []CLICommand

	// AdminKind is the key kind that stands in for signing in, nil without one; it is
	// taken by AdminFlag for AdminCommands only.
	AdminKind     *KeyKind
	AdminFlag     string
	AdminCommands []string

	// The flags that name an organization and an environment, without dashes.
	OrganizationFlag, EnvironmentFlag string
}

// A CLICommand is one command of the product's command line.
type CLICommand struct {
	Name   string
	Does   string // "keys.create"
	Kind   *KeyKind
	Scopes ScopeSet
	Flags  []CLIFlag
	Prompt string
	Output string // with variables: $secret, $permission

	// For "deploy", a product's own work: the route whose right it takes, as method and
	// path ("POST /admin/{environment}/deploy"), asked through Cardea before anything
	// runs, and the program that does it with its arguments. Either may be empty.
	Call string
	Run  []string
}

// A CLIFlag is a flag of a command.
type CLIFlag struct {
	Name   string
	Scopes ScopeSet // given instead of the command's
	Help   string
}

// CLI returns the product's command line, nil when the contract has none.
func (c *Contract) CLI() *CLI { return c.cli }
