package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/contract"
)

// A contract's cli section gives the program a second face: started under the product's
// name, or as `cardea as NAME`, it has the verbs, prompts and lines of the product's own
// command line. What they do are the use cases that everybody else has too.

// asCommand is `cardea as`.
func asCommand() *cobra.Command {
	return &cobra.Command{
		Use: "as NAME [COMMAND…]", Short: "Be the product's own command line, as its contract describes it",
		Long: `Runs the command line that the contract's cli section describes. A link to this
program under that name does the same: ln -s cardea acme.

The contract is the file that CARDEA_CONTRACT names, else cardea.yaml here, else
NAME.yaml beside the program.`,
		DisableFlagParsing: true,
		Args: func(_ *cobra.Command, given []string) error {
			if len(given) == 0 {
				return usagef("an argument is missing: the name of the product's command line\nUsage: cardea as NAME [COMMAND…]")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] == "--help" || args[0] == "-h" {
				return c.Help()
			}
			product, err := productNamed(args[0])
			if err != nil {
				return err
			}
			product.SetArgs(args[1:])
			product.SetIn(c.InOrStdin())
			product.SetOut(c.OutOrStdout())
			product.SetErr(c.ErrOrStderr())
			return product.ExecuteContext(c.Context())
		},
	}
}

// productNamed returns the command line of the product with a name: that of its command
// line or of the product itself.
func productNamed(name string) (*cobra.Command, error) {
	file, err := productContract(name)
	if err != nil {
		return nil, err
	}
	c, err := contract.LoadFile(file)
	var problems contract.Problems
	switch {
	case errors.As(err, &problems):
		return nil, fmt.Errorf("the contract %s has problems; see: cardea check %s", file, file)
	case err != nil:
		return nil, usagef("%w", err)
	case c.CLI() == nil:
		return nil, usagef("%s describes no command line; it needs a section cli:", file)
	case !strings.EqualFold(name, c.CLI().Name) && !strings.EqualFold(name, c.Product()):
		return nil, usagef("%s describes the command line %s; name another contract in CARDEA_CONTRACT", file, c.CLI().Name)
	}
	return newProduct(c), nil
}

// productContract returns the file with the contract of a product's command line.
func productContract(name string) (string, error) {
	if file := os.Getenv("CARDEA_CONTRACT"); file != "" {
		return file, nil
	}
	candidates := []string{contract.DefaultName}
	if program, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Join(filepath.Dir(program), filepath.Base(name)+".yaml"))
	}
	for _, file := range candidates {
		_, err := os.Stat(file)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", usagef("%w", err)
		}
	}
	return "", usagef("no contract to take the command line from: name its file in CARDEA_CONTRACT")
}

// calledAs returns the product name that the program was started under, "" when it was
// started as itself, be it a copy that says for which machine or which version it is.
func calledAs(program string) string {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	if strings.HasPrefix(name, "cardea") || strings.HasSuffix(name, ".test") {
		return ""
	}
	return name
}

// A product is the command line of one product.
type product struct {
	contract *contract.Contract
	cli      *contract.CLI
}

// newProduct returns the command tree of a contract's command line.
func newProduct(c *contract.Contract) *cobra.Command {
	p := &product{contract: c, cli: c.CLI()}
	root := &cobra.Command{
		Use: p.cli.Name, Short: "The command line of " + c.Product(),
		SilenceErrors: true, SilenceUsage: true,
	}
	remote(root)
	f := root.PersistentFlags()
	f.String("api", "", "base `URL` of the API (CARDEA_API)")
	f.String(p.organizationFlag(), "", "name or `ID` of the "+p.organizationFlag()+" (CARDEA_ORGANIZATION; default: the only one)")
	f.String(p.environmentFlag(), "", "the "+p.environmentFlag()+" (CARDEA_ENVIRONMENT; default: "+c.Environments()[0].Name+")")
	for i := range p.cli.Commands {
		root.AddCommand(p.command(&p.cli.Commands[i]))
	}
	strict(root)
	return root
}

// organizationFlag and environmentFlag are what the product calls the two.
func (p *product) organizationFlag() string { return firstOf(p.cli.OrganizationFlag, "org") }
func (p *product) environmentFlag() string  { return firstOf(p.cli.EnvironmentFlag, "env") }

// command returns one command of the product.
func (p *product) command(d *contract.CLICommand) *cobra.Command {
	verb, ok := verbs[d.Does]
	if !ok {
		verb = productVerb{short: "Not available: " + d.Does, run: func(*call, []string) error {
			return usagef("this version of the program cannot do that: %s", d.Does)
		}}
	}
	c := &cobra.Command{Use: strings.TrimSpace(d.Name + " " + verb.args), Short: verb.short, Args: cobra.MaximumNArgs(verb.maxArgs)}
	if d.Kind != nil { // of several kinds, which?
		c.Short = d.Kind.Label + ": " + strings.ToLower(verb.short[:1]) + verb.short[1:]
	}
	for _, f := range d.Flags {
		c.Flags().Bool(f.Name, false, f.Help)
	}
	if verb.flags != nil {
		verb.flags(c, d)
	}
	if p.takesAdmin(d.Name) {
		// The flag is what the product's page prints. Others on the machine can read it;
		// the variable is for those who mind.
		c.Flags().String(p.cli.AdminFlag, "", "`TOKEN` that stands in for signing in ("+p.adminVariable()+")")
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return advise(verb.run(&call{product: p, command: c, does: d}, args))
	}
	return c
}

// takesAdmin reports whether a command takes the key that stands in for signing in.
func (p *product) takesAdmin(command string) bool {
	for _, name := range p.cli.AdminCommands {
		if name == command {
			return p.cli.AdminKind != nil
		}
	}
	return false
}

// adminVariable is the environment variable of the admin token: ACME_ADMINTOKEN.
func (p *product) adminVariable() string {
	return strings.ToUpper(strings.NewReplacer("-", "_").Replace(firstOf(p.cli.EnvPrefix, p.cli.Name) + "_" + p.cli.AdminFlag))
}
