package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cardea-dev/cardea/internal/pages/pagestest"
)

// A script is one running script: its Cardea, and what its last command answered.
type script struct {
	contract string
	work     string
	dev      *dev
	browser  *pagestest.Browser // nil until a script browses
	hook     *hookServer
	answers  []answer // of the last command, when it was curl
	output   []byte   // standard output of the last command
}

type scriptKey struct{}

// commands are what scripts can do besides what testscript offers.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"dev":      command((*script).cmdDev),
	"shutdown": command((*script).cmdStop),
	"poweroff": command((*script).cmdKill),
	"shell":    (*script)(nil).cmdShell,
	"status":   command((*script).cmdStatus),
	"header":   (*script)(nil).cmdHeader,
	"body":     command((*script).cmdBody),
	"json":     (*script)(nil).cmdJSON,
	"let":      command((*script).cmdLet),
	"equal":    (*script)(nil).cmdEqual,
	"between":  command((*script).cmdBetween),
	"plus":     command((*script).cmdPlus),
	"absent":   command((*script).cmdAbsent),
	"scope":    command((*script).cmdScope),
	"hammer":   command((*script).cmdHammer),
	"advance":  command((*script).cmdAdvance),
	"clock":    command((*script).cmdClock),
	"browse":   command((*script).cmdBrowse),
	"jwt":      command((*script).cmdJWT),
	"bend":     command((*script).cmdBend),
	"sign":     command((*script).cmdSign),
	"hook":     command((*script).cmdHook),
}

// of returns the script that a testscript runs.
func of(ts *testscript.TestScript) *script { return ts.Value(scriptKey{}).(*script) }

// command makes a command that cannot be negated.
func command(run func(*script, *testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, not bool, args []string) {
		if not {
			ts.Fatalf("this command cannot be negated")
		}
		run(of(ts), ts, args)
	}
}

// end stops what still runs when a script has ended.
func (s *script) end() {
	if s.dev != nil {
		_ = s.dev.kill() // the script has its result already
	}
	if s.hook != nil {
		_ = s.hook.server.Close()
	}
}

// cmdDev starts Cardea: dev [FLAG…]. Its clients become variables,
// CLIENT_CREDENTIALS_CLIENT_ID and so on for each grant; its secrets become variables, KEY_LIVE and KEY_TEST
// for the kind api_key and <KIND>_<ENVIRONMENT> for every kind; curl finds every host
// name of the page there.
func (s *script) cmdDev(ts *testscript.TestScript, args []string) {
	d, err := startDev(s.work, s.contract, args...)
	ts.Check(err)
	s.dev = d
	for kind, secrets := range d.Secrets {
		for environment, secret := range secrets {
			name := strings.ToUpper(kind + "_" + environment)
			ts.Setenv(name, secret)
			if short, ok := strings.CutPrefix(name, "API_"); ok {
				ts.Setenv(short, secret)
			}
		}
	}
	for grant, c := range d.Clients {
		name := strings.ToUpper(grant)
		ts.Setenv(name+"_CLIENT_ID", c.ClientID)
		ts.Setenv(name+"_CLIENT_SECRET", c.ClientSecret)
		ts.Setenv(name+"_REDIRECT_URI", c.RedirectURI)
	}
	s.browser = nil
	ts.Setenv("SERVICE_ACCOUNT_FILE", d.AccountFile)
	ts.Setenv("CA", d.CA)
	ts.Setenv("ISSUER", d.Issuer)
	ts.Setenv("ISSUER_TLS", d.IssuerTLS)
	ts.Setenv("CARDEA_API", d.API)
	ts.Setenv("ORGANIZATION", d.Organization)
	ts.Setenv("API", d.API)
	ts.Setenv("MANAGEMENT", d.Management)
	ts.Setenv("CARDEA_URL", d.Management)
	ts.Setenv("CARDEA_TOKEN", d.ManagementToken)
	_, port, err := net.SplitHostPort(d.TLS)
	ts.Check(err)
	// http1.1: HTTP/2 knows no upper case in header names, and pages print some.
	curlrc := fmt.Sprintf("silent\nhttp1.1\ncacert = %q\nconnect-to = \"::127.0.0.1:%s\"\ndump-header = %q\n",
		d.CA, port, s.headerFile())
	ts.Check(os.WriteFile(filepath.Join(s.work, ".curlrc"), []byte(curlrc), 0o600))
}

func (s *script) headerFile() string { return filepath.Join(s.work, ".headers") }

// cmdStop ends Cardea as a supervisor would.
func (s *script) cmdStop(ts *testscript.TestScript, _ []string) {
	ts.Check(s.dev.stop())
	s.dev = nil
}

// cmdKill ends Cardea as a power cut would.
func (s *script) cmdKill(ts *testscript.TestScript, _ []string) {
	ts.Check(s.dev.kill())
	s.dev = nil
}

// cmdShell runs what stands after a prompt, and keeps its output for the commands that
// look at it.
func (*script) cmdShell(ts *testscript.TestScript, not bool, args []string) {
	s := of(ts)
	if err := os.Remove(s.headerFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		ts.Fatalf("%v", err)
	}
	err := ts.Exec("/bin/sh", "-c", args[0])
	s.output = []byte(ts.ReadFile("stdout"))
	if (err != nil) != not {
		ts.Fatalf("the command ended with: %v", err)
	}
	raw, err := os.ReadFile(s.headerFile())
	if errors.Is(err, os.ErrNotExist) {
		s.answers = nil
		return
	}
	ts.Check(err)
	s.answers = readAnswers(raw)
}

// last returns the last response of the last command.
func (s *script) last(ts *testscript.TestScript) answer {
	if len(s.answers) == 0 {
		ts.Fatalf("the last command got no HTTP response")
	}
	return s.answers[len(s.answers)-1]
}

// cmdStatus compares the status of the responses to the last command, in order:
// status 200, status ~20[01], or status 10x200 1x429.
func (s *script) cmdStatus(ts *testscript.TestScript, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: status [TIMESx]STATUS…")
	}
	var want []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "~") {
			want = append(want, arg)
			continue
		}
		times, status, found := strings.Cut(arg, "x")
		if !found {
			times, status = "1", arg
		}
		n, err := strconv.Atoi(times)
		ts.Check(err)
		for range n {
			want = append(want, status)
		}
	}
	var got []string
	for _, a := range s.answers {
		got = append(got, strconv.Itoa(a.status))
	}
	if len(args) == 1 && len(got) == 1 && matches(ts, got[0], args[0]) {
		return
	}
	if g, w := inRuns(got), inRuns(want); g != w {
		ts.Fatalf("status %s, want %s\n%s%s", g, w, s.lastHead(), s.output)
	}
}

func (s *script) lastHead() string {
	if len(s.answers) == 0 {
		return ""
	}
	return s.answers[len(s.answers)-1].head + "\n"
}

// inRuns writes [200 200 429] as "2x200 1x429".
func inRuns(statuses []string) string {
	var runs []string
	for i := 0; i < len(statuses); {
		n := i
		for n < len(statuses) && statuses[n] == statuses[i] {
			n++
		}
		runs = append(runs, fmt.Sprintf("%dx%s", n-i, statuses[i]))
		i = n
	}
	return strings.Join(runs, " ")
}

// cmdHeader looks at a header of the last response, its name in exactly this case, and
// sent once: header NAME VALUE, header NAME ~REGEXP, ! header NAME. A name in lower case
// stands for every case.
func (*script) cmdHeader(ts *testscript.TestScript, not bool, args []string) {
	a := of(ts).last(ts)
	if not {
		for _, f := range a.fields {
			if strings.EqualFold(f.name, args[0]) {
				ts.Fatalf("header %s is there: %s", f.name, f.value)
			}
		}
		return
	}
	if len(args) != 2 {
		ts.Fatalf("usage: header NAME VALUE|~REGEXP")
	}
	value, err := a.header(args[0])
	ts.Check(err)
	if !matches(ts, value, args[1]) {
		ts.Fatalf("header %s: %s, want %s", args[0], value, args[1])
	}
}

// matches reports whether a value is the wanted one, or matches it when it is ~REGEXP.
func matches(ts *testscript.TestScript, value, want string) bool {
	pattern, isPattern := strings.CutPrefix(want, "~")
	if !isPattern {
		return value == want
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	ts.Check(err)
	return re.MatchString(value)
}

// cmdBody compares the last output with JSON as a page prints it: body FILE
// [PRINTED=ACTUAL…], where what the page prints as an example is replaced by what it is
// this time. Order and spelling of members count; white space between them does not,
// since pages break lines for people.
func (s *script) cmdBody(ts *testscript.TestScript, args []string) {
	printed := ts.ReadFile(args[0])
	for _, pair := range args[1:] {
		example, actual, found := strings.Cut(pair, "=")
		if !found || !strings.Contains(printed, example) {
			ts.Fatalf("%s does not print %q", args[0], example)
		}
		printed = strings.ReplaceAll(printed, example, actual)
	}
	var want, got bytes.Buffer
	ts.Check(json.Compact(&want, []byte(printed)))
	if err := json.Compact(&got, s.output); err != nil {
		ts.Fatalf("the body is not JSON: %v\n%s", err, s.output)
	}
	if got.String() != want.String() {
		ts.Fatalf("body\n  %s\nwant\n  %s", got.String(), want.String())
	}
}

// cmdJSON looks at a value in the last output: json PATH VALUE, json PATH ~REGEXP,
// ! json PATH. A path is names and indexes: error.code, items.0.id. A value that is no
// string is written as JSON.
func (*script) cmdJSON(ts *testscript.TestScript, not bool, args []string) {
	s := of(ts)
	value, found := s.lookup(ts, args[0])
	switch {
	case not && found:
		ts.Fatalf("%s is there: %s", args[0], value)
	case not:
	case len(args) != 2:
		ts.Fatalf("usage: json PATH VALUE|~REGEXP")
	case !found:
		ts.Fatalf("no %s in\n%s", args[0], s.output)
	case !matches(ts, value, args[1]):
		ts.Fatalf("%s: %s, want %s", args[0], value, args[1])
	}
}

// lookup returns the value at a path of the last output.
func (s *script) lookup(ts *testscript.TestScript, path string) (string, bool) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(s.output))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		ts.Fatalf("the output is not JSON: %v\n%s", err, s.output)
	}
	for _, step := range strings.Split(path, ".") {
		switch in := value.(type) {
		case map[string]any:
			next, found := in[step]
			if !found {
				return "", false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return "", false
			}
			value = in[i]
		default:
			return "", false
		}
	}
	if text, ok := value.(string); ok {
		return text, true
	}
	text, err := json.Marshal(value)
	ts.Check(err)
	return string(text), true
}

// cmdLet keeps a value of the last output or a header of the last response in a
// variable: let NAME PATH, or let NAME header:NAME.
func (s *script) cmdLet(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: let NAME PATH|header:NAME")
	}
	if name, isHeader := strings.CutPrefix(args[1], "header:"); isHeader {
		value, err := s.last(ts).header(name)
		ts.Check(err)
		ts.Setenv(args[0], value)
		return
	}
	value, found := s.lookup(ts, args[1])
	if !found {
		ts.Fatalf("no %s in\n%s", args[1], s.output)
	}
	ts.Setenv(args[0], value)
}

// cmdEqual compares two texts: equal A B, equal A ~REGEXP, ! equal A B.
func (*script) cmdEqual(ts *testscript.TestScript, not bool, args []string) {
	if matches(ts, args[0], args[1]) == not {
		ts.Fatalf("%s and %s", args[0], args[1])
	}
}

// cmdBetween compares whole numbers: between LOW N HIGH, both ends included.
func (s *script) cmdBetween(ts *testscript.TestScript, args []string) {
	n := numbers(ts, args)
	if n[1] < n[0] || n[1] > n[2] {
		ts.Fatalf("%d is not between %d and %d", n[1], n[0], n[2])
	}
}

// cmdAdvance moves Cardea's clock forward and holds it there: advance 720h.
func (s *script) cmdAdvance(ts *testscript.TestScript, args []string) {
	by, err := time.ParseDuration(args[0])
	ts.Check(err)
	s.move(ts, by)
}

// cmdClock moves Cardea's clock forward to a second of a minute, to the next midnight of
// UTC or to the next day of a month and day, and holds it there: clock :30, clock
// midnight, clock 11-30. NOW becomes the time in Unix seconds.
func (s *script) cmdClock(ts *testscript.TestScript, args []string) {
	state, err := s.dev.clock(0, true)
	ts.Check(err)
	now := state.Now.UTC()
	var to time.Time
	if second, isSecond := strings.CutPrefix(args[0], ":"); isSecond {
		in, err := time.ParseDuration(second + "s")
		ts.Check(err)
		if to = now.Truncate(time.Minute).Add(in); !to.After(now) {
			to = to.Add(time.Minute)
		}
	} else {
		to = now.Truncate(24*time.Hour).AddDate(0, 0, 1)
		for args[0] != "midnight" && to.Format("01-02") != args[0] {
			to = to.AddDate(0, 0, 1)
		}
	}
	s.move(ts, to.Sub(now))
}

func (s *script) move(ts *testscript.TestScript, by time.Duration) {
	state, err := s.dev.clock(by, true)
	ts.Check(err)
	ts.Setenv("NOW", strconv.FormatInt(state.Now.Unix(), 10))
}

// cmdAbsent holds that no file below a directory contains a text: absent TEXT DIR.
func (s *script) cmdAbsent(ts *testscript.TestScript, args []string) {
	files, err := regularFiles(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file below %s", args[1])
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // a journal that was needed no more
		}
		ts.Check(err)
		if bytes.Contains(content, []byte(args[0])) {
			ts.Fatalf("%s is in %s", args[0], name)
		}
	}
}

// regularFiles returns the names of all files below a directory.
func regularFiles(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// cmdPlus adds whole numbers: plus A B SUM.
func (s *script) cmdPlus(ts *testscript.TestScript, args []string) {
	n := numbers(ts, args)
	if n[0]+n[1] != n[2] {
		ts.Fatalf("%d + %d is not %d", n[0], n[1], n[2])
	}
}

// numbers reads three whole numbers.
func numbers(ts *testscript.TestScript, args []string) (n [3]int64) {
	if len(args) != len(n) {
		ts.Fatalf("three numbers are needed")
	}
	for i := range n {
		var err error
		n[i], err = strconv.ParseInt(args[i], 10, 64)
		ts.Check(err)
	}
	return n
}
