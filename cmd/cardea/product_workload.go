package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
)

// workloadTimeout bounds the request that checks a token's right; what the API does with
// it may take its time.
const workloadTimeout = 5 * time.Minute

// runWorkload does what a product does on its API: it has the API, behind Cardea, check
// the token's right, and then runs the contract's command.
func runWorkload(k *call, args []string) error {
	e, err := k.environment()
	if err != nil {
		return err
	}
	project, token, err := k.workloadToken()
	if err != nil {
		return err
	}
	if k.does.Call != "" {
		if err := k.callAPI(e, token); err != nil {
			return err
		}
	}
	if len(k.does.Run) > 0 {
		if err := k.runCommand(e, project, token, args); err != nil {
			return err
		}
	}
	return k.print(map[string]string{"project": project, "organization": project, "environment": e.Name, "kind": k.does.Name})
}

// workloadToken returns the token that the command works with and the project it is for.
// Without one the caller must be signed in, and is told what to do.
func (k *call) workloadToken() (project, token string, err error) {
	project = k.flag(k.organizationFlag(), "CARDEA_ORGANIZATION")
	if k.takesAdmin(k.does.Name) {
		token = k.flag(k.cli.AdminFlag, k.adminVariable())
	}
	if token == "" {
		if !k.takesAdmin(k.does.Name) {
			return "", "", usagef("this command has no way to sign in")
		}
		return "", "", usagef("give a token: --%s, or %s", k.cli.AdminFlag, k.adminVariable())
	}
	return project, token, nil
}

// callAPI sends the command's request to the API. The decision is Cardea's: it knows the
// token and the route.
func (k *call) callAPI(e *contract.Environment, token string) error {
	base := strings.TrimSuffix(firstOf(k.command.Flag("api").Value.String(), os.Getenv("CARDEA_API")), "/")
	if host := k.contract.Hosts().API; base == "" && host != "" {
		base = "https://" + host
	}
	if base == "" {
		return usagef("where is the API? Name its URL with --api, or in CARDEA_API")
	}
	method, path, _ := strings.Cut(k.does.Call, " ")
	req, err := http.NewRequestWithContext(k.command.Context(), method, base+strings.ReplaceAll(path, "{environment}", e.Name), http.NoBody)
	if err != nil {
		return usagef("the URL of the API is not one")
	}
	p := k.cli.AdminKind.Present[0]
	req.Header.Set(p.Header, strings.TrimSpace(p.Scheme+" "+token))
	client := &http.Client{Timeout: workloadTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	switch {
	case resp.StatusCode/100 == 2:
		return nil
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return &codedError{code: exitUnknown, err: fmt.Errorf("%s: the token may not do this (status %d)", k.does.Name, resp.StatusCode)}
	}
	return fmt.Errorf("%s: the API answered with status %d", k.does.Name, resp.StatusCode)
}

// runCommand runs the contract's command. It learns what it is for from its environment;
// the token is not among its arguments, which others can read.
func (k *call) runCommand(e *contract.Environment, project, token string, args []string) error {
	run := exec.CommandContext(k.command.Context(), k.does.Run[0], append(k.does.Run[1:len(k.does.Run):len(k.does.Run)], args...)...)
	run.Stdin, run.Stdout, run.Stderr = k.command.InOrStdin(), k.command.OutOrStdout(), k.command.ErrOrStderr()
	run.Env = append(os.Environ(), "CARDEA_COMMAND="+k.does.Name, "CARDEA_ENVIRONMENT="+e.Name,
		"CARDEA_ORGANIZATION="+project, k.adminVariable()+"="+token)
	err := run.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Errorf("%s: %s ended with %d", k.does.Name, k.does.Run[0], exit.ExitCode())
	case err != nil:
		return usagef("%s: %w", k.does.Name, err)
	}
	return nil
}
