// Command simulateday lets the observation engine work through a day of 26,520
// accounts on each platform, on a clock that it steps, against the simulators'
// handlers in this process. The simulators' own ledger tells what was asked, what
// went beyond a limit, and what it cost.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "simulateday:", err)
		stop()
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	accounts      int
	length        time.Duration
	page, figures string
	only          string
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	fs := flag.NewFlagSet("simulateday", flag.ContinueOnError)
	fs.IntVar(&o.accounts, "accounts", 26_520, "accounts on each platform")
	fs.DurationVar(&o.length, "length", 24*time.Hour, "how long the day is")
	fs.StringVar(&o.page, "page", "docs/simulated-day.md", "`file` for the table; empty: none")
	fs.StringVar(&o.figures, "figures", "bin/day.json", "`file` for the figures; empty: none")
	fs.StringVar(&o.only, "only", "", "one platform by name, instead of all")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("parsing flags: %w", err)
	}
	began := time.Now()
	d := &day{}
	for _, s := range scenes() {
		if o.only != "" && o.only != string(s.adapter.Name) {
			continue
		}
		one, err := play(ctx, s, o.accounts, o.length)
		if err != nil {
			return fmt.Errorf("%s: %w", s.adapter.Name, err)
		}
		d.Platforms = append(d.Platforms, *one)
		fmt.Fprintf(out, "%s: %d requests, after %s\n", one.Platform, one.Requests, time.Since(began).Round(time.Second))
	}
	d.gather()
	fmt.Fprintln(out, d.table())
	if err := d.write(o); err != nil {
		return err
	}
	return d.verdict()
}

// write saves page and figures.
func (d *day) write(o options) error {
	if o.figures != "" {
		data, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			return fmt.Errorf("encoding the figures: %w", err)
		}
		if err := save(o.figures, append(data, '\n')); err != nil {
			return err
		}
	}
	if o.page == "" {
		return nil
	}
	return save(o.page, []byte(d.markdown()))
}

func save(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("making the folder of %s: %w", path, err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
