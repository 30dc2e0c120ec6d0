package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/contract"
)

// A call is one command of a product's command line at work.
type call struct {
	*product
	command *cobra.Command
	does    *contract.CLICommand

	remote *session // opened when first needed
}

// session returns the connection to the management API.
func (k *call) session() (*session, error) {
	if k.remote != nil {
		return k.remote, nil
	}
	s, err := connect(k.command)
	k.remote = s
	return s, err
}

// flag returns a flag's value, else that of an environment variable.
func (k *call) flag(name, variable string) string {
	return firstOf(k.command.Flag(name).Value.String(), os.Getenv(variable))
}

// scopes returns what the command gives: its own scopes, or those of a flag that was
// set.
func (k *call) scopes() []string {
	set := k.does.Scopes
	for _, f := range k.does.Flags {
		if on, err := k.command.Flags().GetBool(f.Name); err == nil && on {
			set = f.Scopes
		}
	}
	return k.contract.ScopeNames(set)
}

// environment returns the environment that the command is about.
func (k *call) environment() (*contract.Environment, error) {
	name := k.flag(k.environmentFlag(), "CARDEA_ENVIRONMENT")
	if name == "" {
		return k.contract.Environments()[0], nil
	}
	e := k.contract.Environment(name)
	if e == nil {
		return nil, usagef("there is no such %s; there are: %s", k.environmentFlag(), list(environmentNames(k.contract)))
	}
	return e, nil
}

// environmentNames returns the names of a contract's environments.
func environmentNames(c *contract.Contract) []string {
	var all []string
	for _, e := range c.Environments() {
		all = append(all, e.Name)
	}
	return all
}

// organization returns the organization that the command is about: the one that was
// named, the only one, or one chosen at the contract's prompt.
func (k *call) organization() (admin.Organization, error) {
	s, err := k.session()
	if err != nil {
		return admin.Organization{}, err
	}
	var all []admin.Organization
	for o, err := range s.ListOrganizations(k.command.Context(), admin.OrganizationFilter{}) {
		if err != nil {
			return admin.Organization{}, err
		}
		if !o.Staff { // the company itself is none of its customers
			all = append(all, o)
		}
	}
	if name := k.flag(k.organizationFlag(), "CARDEA_ORGANIZATION"); name != "" {
		for _, o := range all {
			if o.ID == name || o.Name == name {
				return o, nil
			}
		}
		return admin.Organization{}, notFoundf("no such %s", k.organizationFlag())
	}
	if k.does.Prompt != "" {
		return k.choose(all)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return admin.Organization{}, usagef("there are %d to choose from: name one with --%s", len(all), k.organizationFlag())
}

// choose asks for one of several organizations. At a terminal it shows a numbered list;
// otherwise it reads one line, and takes the only one without asking.
func (k *call) choose(all []admin.Organization) (admin.Organization, error) {
	if len(all) == 0 {
		return admin.Organization{}, notFoundf("there is nothing to choose from")
	}
	chosen := all[0]
	if len(all) > 1 {
		talk := k.command.ErrOrStderr()
		if in, ok := k.command.InOrStdin().(*os.File); ok && term.IsTerminal(int(in.Fd())) {
			for i, o := range all {
				fmt.Fprintf(talk, "  %d) %s\n", i+1, cell(o.Name))
			}
			fmt.Fprint(talk, "> ")
		}
		line, err := bufio.NewReader(k.command.InOrStdin()).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return admin.Organization{}, err
		}
		found := false
		answer := strings.TrimSpace(line)
		for i, o := range all {
			if answer == o.Name || answer == o.ID || answer == strconv.Itoa(i+1) {
				chosen, found = o, true
				break
			}
		}
		if !found {
			return admin.Organization{}, usagef("there are %d to choose from: name one with --%s, or answer the question", len(all), k.organizationFlag())
		}
	}
	_, err := fmt.Fprintf(k.command.OutOrStdout(), "? %s %s\n", k.does.Prompt, cell(chosen.Name))
	return chosen, err
}

var variable = regexp.MustCompile(`\$[a-z_]+`)

// print writes the command's output with its variables filled in.
func (k *call) print(values map[string]string) error {
	text := variable.ReplaceAllStringFunc(k.does.Output, func(name string) string { return cell(values[name[1:]]) })
	if text == "" {
		return nil
	}
	_, err := fmt.Fprintln(k.command.OutOrStdout(), strings.TrimSuffix(text, "\n"))
	return err
}

// permission returns the contract's name for exactly these scopes, else the scopes.
func (k *call) permission(scopes []string) string {
	granted, _ := k.contract.ScopeSet(scopes...)
	for _, p := range k.contract.Permissions() {
		if p.Scopes == granted {
			return p.Label
		}
	}
	return strings.Join(scopes, " ")
}
