package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/bench/figures"
)

// The markers between which the page's figures are written.
const (
	beginMark = "<!-- Written by make bench-scaling. -->"
	endMark   = "<!-- End of what make bench-scaling writes. -->"
)

// writePage writes the figures of all sizes into a page.
func writePage(page, folder string) error {
	runs, err := readRuns(folder, copies)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return fmt.Errorf("there is no run in %s", folder)
	}
	apart, err := readRuns(folder, apartCopies)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	reckoned, err := meaning(runs[len(runs)-1])
	if err != nil {
		return err
	}
	next, err := between(string(raw), scalingTable(runs)+apartTable(apart)+"\n"+reckoned)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	if err := os.WriteFile(page, []byte(next), 0o600); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// between replaces what is between the markers.
func between(page, text string) (string, error) {
	head, rest, begins := strings.Cut(page, beginMark)
	_, tail, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return "", errors.New("the page has not both markers")
	}
	return head + beginMark + "\n\n" + text + "\n" + endMark + tail, nil
}

// readRuns reads the files of runs whose names begin so, by size.
func readRuns(folder, names string) ([]*result, error) {
	files, err := filepath.Glob(filepath.Join(folder, names+"*.json"))
	if err != nil {
		return nil, err
	}
	var runs []*result
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		r := &result{}
		if err := json.Unmarshal(raw, r); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		runs = append(runs, r)
	}
	slices.SortFunc(runs, func(a, b *result) int { return a.Accounts - b.Accounts })
	return runs, nil
}

// scalingTable shows the figures of all sizes, and how costs grow.
func scalingTable(runs []*result) string {
	var b strings.Builder
	b.WriteString("| figure |")
	for _, r := range runs {
		fmt.Fprintf(&b, " %d |", r.Accounts)
	}
	b.WriteString(" growth |\n|---|" + strings.Repeat("---:|", len(runs)+1) + "\n")
	for _, f := range rows() {
		var points []figures.Point
		line := fmt.Sprintf("| %s |", f.name)
		for _, r := range runs {
			value, ok := f.of(r)
			if !ok {
				line += " – |"
				continue
			}
			points = append(points, figures.Point{Accounts: r.Accounts, Cost: value})
			line += fmt.Sprintf(" %s |", f.text(value))
		}
		if len(points) > 0 { // what no run measured is among the targets
			fmt.Fprintf(&b, "%s %s |\n", line, growth(f, points))
		}
	}
	b.WriteString(targetsBySize(runs))
	return b.String()
}

// apartTable shows what first convergences of runs came to whose control plane had CPUs
// of its own.
func apartTable(runs []*result) string {
	if len(runs) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nWhere %s\n(`BENCH_FLAGS=--apart`):\n\n| figure |", together[true])
	for _, r := range runs {
		fmt.Fprintf(&b, " %d, %s |", r.Accounts, r.At.Format("2006-01-02"))
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(runs)) + "\n")
	for _, f := range rows() {
		if f.phase != "convergence" && f.phase != "ceiling" {
			continue
		}
		fmt.Fprintf(&b, "| %s |", f.name)
		for _, r := range runs {
			text := "–"
			if value, ok := f.of(r); ok {
				text = f.text(value)
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// targetsBySize shows what each run says of each target, and what a reader has to know.
func targetsBySize(runs []*result) string {
	var b strings.Builder
	b.WriteString("\nGrowth is the exponent k with which a cost grows as accounts^k; 1 is linear. What has\nto be shown, at each size:\n\n| target | bound |")
	for _, r := range runs {
		fmt.Fprintf(&b, " %d |", r.Accounts)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(runs)) + "\n")
	for i, t := range runs[len(runs)-1].Targets {
		sign := "≤"
		if t.AtLeast {
			sign = "≥"
		}
		fmt.Fprintf(&b, "| %s | %s %.4g |", t.Name, sign, t.Bound)
		for _, r := range runs {
			fmt.Fprintf(&b, " %s |", r.verdict(i, t.Name))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, r := range runs {
		fmt.Fprintf(&b, "- %d accounts: measured %s on %d CPUs", r.Accounts, r.At.Format("2006-01-02"), r.Settings.CPUs)
		if err := r.failures(); err != nil {
			fmt.Fprintf(&b, "; %s", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		if len(r.Skipped) > 0 {
			fmt.Fprintf(&b, "; without %s", strings.Join(r.Skipped, " and "))
		}
		b.WriteString("\n")
	}
	for _, note := range runs[len(runs)-1].Settings.Notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	return b.String()
}

// growth is the exponent of a cost, if it can be told.
func growth(f row, points []figures.Point) string {
	if !f.cost {
		return ""
	}
	k, err := figures.Growth(points)
	if err != nil {
		return "not known"
	}
	return fmt.Sprintf("%.2f", k)
}

// verdict is what a run says of a target.
func (r *result) verdict(i int, name string) string {
	if i >= len(r.Targets) || r.Targets[i].Name != name || r.Targets[i].Measured == nil {
		return "not measured"
	}
	t := r.Targets[i]
	if t.Met {
		return fmt.Sprintf("%.4g", *t.Measured)
	}
	return fmt.Sprintf("**%.4g, not met** (%s)", *t.Measured, t.margin())
}
