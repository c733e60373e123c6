package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// teller shows progress: a bar on a terminal, a line now and then elsewhere.
type teller struct {
	out     io.Writer
	started time.Time
	live    bool
	open    bool
	last    time.Time
}

func newTeller(out *os.File) *teller {
	return &teller{out: out, started: time.Now(), live: term.IsTerminal(int(out.Fd()))}
}

// line tells what happened.
func (t *teller) line(format string, args ...any) {
	t.done()
	fmt.Fprintf(t.out, "%7.1fs  %s\n", time.Since(t.started).Seconds(), fmt.Sprintf(format, args...))
}

// bar shows how far something is; without a terminal once in 15 seconds.
func (t *teller) bar(what string, is, of int) {
	if of < 1 {
		return
	}
	if !t.live {
		if time.Since(t.last) > 15*time.Second {
			t.last = time.Now()
			fmt.Fprintf(t.out, "%7.1fs  %s: %d of %d\n", time.Since(t.started).Seconds(), what, is, of)
		}
		return
	}
	const width = 30
	full := min(width*is/of, width)
	t.open = true
	fmt.Fprintf(t.out, "\r%7.1fs  %-28s [%s%s] %d of %d\x1b[K", time.Since(t.started).Seconds(), what, strings.Repeat("=", full), strings.Repeat(" ", width-full), is, of)
}

// done ends a bar.
func (t *teller) done() {
	if t.open {
		t.open = false
		fmt.Fprintln(t.out)
	}
	t.last = time.Time{}
}
