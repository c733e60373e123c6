package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/local"
)

// settled is how long all has to stay as it is: the counts of a policy follow the
// accounts by a second.
const settled = 2 * time.Second

// converge waits until nothing is pending any more and everything is as the
// samples expect, and shows every account. What is not so in time is the error.
func converge(ctx context.Context, o options, c *local.Cluster, operator *local.Process, show *screen) error {
	deadline := time.After(o.timeout)
	var open []string
	var quiet time.Time
	for {
		fleet, err := readFleet(ctx, c)
		if err != nil {
			return err
		}
		open = append(fleet.pending(), fleet.surprises()...)
		switch {
		case len(open) > 0:
			quiet = time.Time{}
		case quiet.IsZero():
			quiet = time.Now()
		case time.Since(quiet) > settled:
			show.final(fleet)
			fmt.Println("converged: every account is as the samples expect")
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-operator.Done:
			return fmt.Errorf("the operator ended: %w; see its log", operator.Err())
		case <-deadline:
			show.final(fleet)
			return fmt.Errorf("not converged after %s:\n  %s", o.timeout, strings.Join(open, "\n  "))
		case <-time.After(250 * time.Millisecond):
		}
	}
}
