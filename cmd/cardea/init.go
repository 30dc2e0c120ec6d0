package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/examples"
)

// answers are what init cannot know. "" leaves the default contract's value.
type answers struct {
	product  string // name of the product
	host     string // host name of its API
	upstream string // base URL of the API behind Cardea
	sandbox  string // the same for the test environment
	prefix   string // what keys begin with, before _live_ and _test_
}

// fill puts the answers into the text of the default contract.
func (a answers) fill(text string) string {
	replace := func(old, answer, new string) {
		if answer != "" {
			text = strings.ReplaceAll(text, old, new)
		}
	}
	// A line break would end the comment or the line that the name stands in.
	product := strings.Join(strings.Fields(a.product), " ")
	replace("product: Example", product, "product: "+quoted(product))
	replace("# hosts: {api: api.example.com}", a.host, "hosts: {api: "+quoted(a.host)+"}")
	replace(`"http://127.0.0.1:8080"`, a.host, quoted("https://"+a.host)) // issuer and audience
	replace(`"http://127.0.0.1:9000"`, a.upstream, quoted(a.upstream))
	replace(`"http://127.0.0.1:9001"`, a.sandbox, quoted(a.sandbox))
	replace("sk_live_", a.prefix, quoted(a.prefix+"_live_"))
	replace("sk_test_", a.prefix, quoted(a.prefix+"_test_"))
	return text
}

// quoted quotes a text for YAML, of which JSON's strings are a part.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // people read the result
	if e.Encode(s) != nil {
		return `""` // strings always encode
	}
	return strings.TrimSpace(b.String())
}

// initCommand is `cardea init`.
func initCommand() *cobra.Command {
	var like string
	var given answers
	c := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented contract to start from",
		Long: `Writes a contract with a comment on every part, to cardea.yaml unless told otherwise
("-" writes to standard output). On a terminal it asks for the few things it cannot
know; elsewhere it takes them from flags. An existing file is never overwritten.

With --like it writes one of the example contracts instead: ` + strings.Join(examples.Names(), ", ") + `.`,
		Example: "  cardea init\n  cardea init --product Acme --host api.acme.com --upstream http://127.0.0.1:9000",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file := "cardea.yaml"
			if len(args) > 0 {
				file = args[0]
			}
			if _, err := os.Lstat(file); file != "-" && err == nil {
				return usagef("%s exists already; name another file, or remove it first", file)
			}
			if like != "" && given != (answers{}) {
				return usagef("an example is written as it is: --like takes no other answers; edit the file afterwards")
			}
			text, err := initialContract(c, like, &given)
			if err != nil {
				return err
			}
			return writeNew(c, file, text)
		},
	}
	c.Flags().StringVar(&like, "like", "", "write the example `NAME` instead, as it is")
	c.Flags().StringVar(&given.product, "product", "", "`NAME` of the product")
	c.Flags().StringVar(&given.host, "host", "", "host `NAME` of its API")
	c.Flags().StringVar(&given.upstream, "upstream", "", "base `URL` of the API behind Cardea")
	c.Flags().StringVar(&given.sandbox, "test-upstream", "", "base `URL` of the API for the test environment")
	c.Flags().StringVar(&given.prefix, "prefix", "", "what keys begin with, before _live_ and _test_")
	return c
}

// initialContract returns the text that init writes.
func initialContract(c *cobra.Command, like string, given *answers) ([]byte, error) {
	if like != "" {
		text, ok := examples.Contract(like)
		if !ok {
			return nil, usagef("there is no example of that name; there are %s", strings.Join(examples.Names(), ", "))
		}
		return text, nil
	}
	if in, ok := c.InOrStdin().(*os.File); ok && term.IsTerminal(int(in.Fd())) && c.Flags().NFlag() == 0 {
		if err := given.ask(in, c.ErrOrStderr()); err != nil {
			return nil, err
		}
	}
	text := []byte(given.fill(string(contract.DefaultText())))
	if _, problems, err := loadContract("cardea.yaml", text); err != nil {
		// The text it starts from is good, so that an answer is not.
		return nil, usagef("that does not make a contract:\n%s", problems.Error())
	}
	return text, nil
}

// ask asks for each answer; an empty line leaves the default.
func (a *answers) ask(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for _, q := range []struct {
		question string
		answer   *string
	}{
		{"Name of the product [Example]", &a.product},
		{"Host name of its API [any]", &a.host},
		{"URL of the API behind Cardea [http://127.0.0.1:9000]", &a.upstream},
		{"The same for its test environment [http://127.0.0.1:9001]", &a.sandbox},
		{"Its keys begin with [sk], then _live_ or _test_", &a.prefix},
	} {
		fmt.Fprintf(out, "%s: ", q.question)
		if !lines.Scan() {
			return errors.Join(lines.Err(), usagef("no answer; nothing was written"))
		}
		*q.answer = strings.TrimSpace(lines.Text())
	}
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(c *cobra.Command, name string, text []byte) error {
	if name == "-" {
		_, err := c.OutOrStdout().Write(text)
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s exists already; name another file, or remove it first", name)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "wrote %s; next: cardea dev -c %s\n", name, name)
	return nil
}
