// Command apilint runs kube-api-linter's analyzers over API packages and holds
// their findings against a list of argued exceptions. A finding that the list does
// not name fails the run, and so does an entry that names no finding.
//
//	apilint [-config FILE] [-exceptions FILE] PACKAGE...
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	// Registers every analyzer of kube-api-linter.
	_ "sigs.k8s.io/kube-api-linter/pkg/registration"
)

//go:embed config.yaml
var builtInConfig []byte

// errFindings says that the lint ran and found something, all of it printed.
var errFindings = errors.New("the API does not pass its lint")

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apilint:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("apilint", flag.ContinueOnError)
	configFile := flags.String("config", "", "which linters run, instead of the built-in config.yaml")
	exceptionsFile := flags.String("exceptions", "", "argued exceptions")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := readConfig(*configFile)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	exceptions, err := readExceptions(*exceptionsFile)
	if err != nil {
		return fmt.Errorf("reading the exceptions: %w", err)
	}
	findings, err := lint(config, flags.Args())
	if err != nil {
		return err
	}
	return report(out, findings, exceptions)
}

// report prints what fails and returns errFindings if there was anything.
func report(out io.Writer, findings []finding, exceptions []exception) error {
	open, unused := match(findings, exceptions)
	for _, f := range open {
		fmt.Fprintln(out, f)
	}
	for _, e := range unused {
		fmt.Fprintf(out, "exceptions: {linter: %s, field: %s} matches no finding: remove it\n", e.Linter, e.Field)
	}
	fmt.Fprintf(out, "apilint: %d findings, %d of them argued in %d exceptions\n",
		len(findings), len(findings)-len(open), len(exceptions)-len(unused))
	if len(open)+len(unused) > 0 {
		return errFindings
	}
	return nil
}
