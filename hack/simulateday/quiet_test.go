package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/observe"
)

// echo answers what it was asked before as it answered then, so that what the simulator
// costs is not measured.
type echo struct {
	inProcess
	heard map[string]*heard
}

type heard struct {
	answer http.Response
	body   []byte
}

func (e *echo) RoundTrip(req *http.Request) (*http.Response, error) {
	var asked []byte
	if req.Body != nil {
		asked, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(asked))
	}
	key := req.URL.String() + string(asked)
	h, ok := e.heard[key]
	if !ok {
		answer, err := e.inProcess.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		h = &heard{answer: *answer}
		h.body, _ = io.ReadAll(answer.Body)
		e.heard[key] = h
	}
	answer := h.answer
	answer.Request, answer.Body = req, io.NopCloser(bytes.NewReader(h.body))
	return &answer, nil
}

// BenchmarkQuietSweep is what it costs the engine and the adapter to look at a fleet in
// which nothing happens.
func BenchmarkQuietSweep(b *testing.B) {
	const accounts, every = 2000, 90 * time.Second
	for _, s := range scenes() {
		b.Run(string(s.adapter.Name), func(b *testing.B) {
			plain := s.account
			s.account = func(i int) world.Account {
				a := plain(i)
				a.DisplayName, a.Website = fmt.Sprint("Body ", i, " of the ministry"), "https://ministry.example/bodies"
				a.Bio = fmt.Sprint("The official account of body number ", i, ". Complaints and questions: call 937. Policy: ministry.example/social")
				return a
			}
			s.tiers = []tier{{"any", 0, every, time.Hour}}
			s.dailyUSD = 0
			g := &stage{scene: s, ctx: b.Context(), clock: clocktesting.NewFakeClock(morning), worst: map[string]time.Duration{}, wakes: &wakes{}}
			g.world = world.New(g.clock)
			g.engine = observe.New(observe.Config{Clock: g.clock})
			if err := g.engine.Connections().Start(b.Context(), g.wakes); err != nil {
				b.Fatal(err)
			}
			requests := 0
			g.wrap = func(t http.RoundTripper) http.RoundTripper {
				e := &echo{inProcess: t.(inProcess), heard: map[string]*heard{}} //nolint:forcetypeassert // it is what stage.open makes
				return counted{e, &requests}
			}
			if err := g.open(accounts); err != nil {
				b.Fatal(err)
			}
			for _, t := range g.targets(accounts) {
				g.engine.Want(t)
			}
			sweeps(b, g, 3*every)
			requests = 0
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				sweeps(b, g, every)
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n)/accounts, "µs/account")
			b.ReportMetric(float64(requests)/float64(n), "requests/sweep")
		})
	}
}

type counted struct {
	http.RoundTripper
	n *int
}

func (c counted) RoundTrip(req *http.Request) (*http.Response, error) {
	*c.n++
	return c.RoundTripper.RoundTrip(req) //nolint:wrapcheck // as it is
}

// sweeps lets time pass.
func sweeps(b *testing.B, g *stage, d time.Duration) {
	b.Helper()
	end := g.clock.Now().Add(d)
	for g.clock.Now().Before(end) {
		rest := g.engine.Turn(g.ctx)
		if g.keep() {
			continue
		}
		next := g.clock.Now().Add(max(rest, time.Millisecond))
		if next.After(end) {
			next = end
		}
		g.clock.SetTime(next)
	}
}
