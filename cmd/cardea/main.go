// Command cardea gives an HTTP API everything its "Authentication" page promises, from
// one contract file.
//
// Data goes to standard output, talk to standard error. The exit codes are part of the
// interface:
//
//	0  done
//	1  refused or failed: a contract with problems, a request the server refused, a
//	   server that cannot start
//	2  usage: unknown command or flag, a missing argument, a file that cannot be read
//	4  not found, or not authorized to see or do it
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, talk io.Writer) int {
	root := newRoot()
	if product := calledAs(os.Args[0]); product != "" {
		args = append([]string{"as", product}, args...)
	}
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(talk)
	err := root.ExecuteContext(ctx)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(talk, "cardea: stopped")
	case err != nil && err.Error() != "":
		fmt.Fprintf(talk, "cardea: %v\n", err)
	}
	return exitCode(err)
}
