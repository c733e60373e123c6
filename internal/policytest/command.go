package policytest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// The exit codes of Main.
const (
	ExitPass   = 0
	ExitFail   = 1 // a case is not as expected
	ExitBroken = 2 // the tests could not be run
)

const usage = "usage: mithaq policy test [-o text|json|junit] DIR"

// Main runs `mithaq policy` with its arguments and returns the exit code.
func Main(args []string, out, complaints io.Writer) int {
	failed, err := command(args, out, complaints)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return ExitPass
	case err != nil:
		fmt.Fprintln(complaints, "mithaq policy test:", err)
		return ExitBroken
	case failed:
		return ExitFail
	default:
		return ExitPass
	}
}

func command(args []string, out, complaints io.Writer) (failed bool, err error) {
	if len(args) == 0 || args[0] != "test" {
		return false, errors.New(usage)
	}
	flags := flag.NewFlagSet("policy test", flag.ContinueOnError)
	flags.SetOutput(complaints)
	format := flags.String("o", "text", "text, json or junit")
	if err := flags.Parse(args[1:]); err != nil {
		return false, err
	}
	write, ok := map[string]func(io.Writer, []Outcome) error{"text": text, "json": asJSON, "junit": junit}[*format]
	if !ok || flags.NArg() != 1 {
		return false, errors.New(usage)
	}
	outcomes, err := Run(flags.Arg(0))
	if err != nil {
		return false, err
	}
	return failures(outcomes) > 0, write(out, outcomes)
}

func failures(outcomes []Outcome) int {
	n := 0
	for i := range outcomes {
		if len(outcomes[i].Differences) > 0 {
			n++
		}
	}
	return n
}

func text(out io.Writer, outcomes []Outcome) error {
	var s strings.Builder
	for _, o := range outcomes {
		verdict := "PASS"
		if len(o.Differences) > 0 {
			verdict = "FAIL"
		}
		fmt.Fprintf(&s, "%s  %s:%d: %s: %s\n", verdict, o.File, o.Line, o.Test, o.Case)
		for _, d := range o.Differences {
			fmt.Fprintf(&s, "      %s\n", d)
		}
	}
	fmt.Fprintf(&s, "%d cases, %d not as expected\n", len(outcomes), failures(outcomes))
	_, err := io.WriteString(out, s.String())
	return err
}

// String is the difference as people read it.
func (d Difference) String() string {
	s := fmt.Sprintf("%s: want %s, got %s", d.Rule, d.Want, d.Got)
	if d.Message != "" {
		s += " (" + d.Message + ")"
	}
	return s
}

func asJSON(out io.Writer, outcomes []Outcome) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Cases  []Outcome `json:"cases"`
		Failed int       `json:"failed"`
	}{outcomes, failures(outcomes)})
}

// junitSuite is the part of the format that CI systems read.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	File    string `xml:"file,attr"`
	Line    int    `xml:"line,attr"`
	Failure string `xml:"failure,omitempty"`
}

func junit(out io.Writer, outcomes []Outcome) error {
	s := junitSuite{Name: "mithaq policy test", Tests: len(outcomes), Failures: failures(outcomes)}
	for _, o := range outcomes {
		c := junitCase{Class: o.Test, Name: o.Case, File: o.File, Line: o.Line}
		for _, d := range o.Differences {
			c.Failure += d.String() + "\n"
		}
		s.Cases = append(s.Cases, c)
	}
	text, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s%s\n", xml.Header, text)
	return err
}
