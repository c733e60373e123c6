// Package faults strikes a handover at every effect with every fault, on a real API
// server and over the simulated platforms, and holds what was stored and sent against
// the handover's invariants. `make faults` runs all plans, `make test` a sample; a plan
// that fails prints a seed, and `make faults SEED=…` replays it alone.
package faults

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// shared is what all tests share.
var shared struct {
	*cluster
	dir, log string
	result   result
	began    time.Time
}

// result is bin/faults.json: all of it is counted.
type result struct {
	Plans            int     `json:"plans"`
	Violations       int     `json:"violations"`
	Seconds          float64 `json:"seconds"`
	Kills            int     `json:"kills"`
	OverlappingCalls int     `json:"overlappingCalls"`
	Seeded           int     `json:"seeded"`
	SeededCaught     int     `json:"seededCaught"`
	MutatingCallsMax int     `json:"mutatingCallsMax"`
	// APIWritesMax are the requests of one rotation without a fault that change objects,
	// EventsMax the events that it tells beside them.
	APIWritesMax int `json:"apiWritesMax"`
	EventsMax    int `json:"eventsMax"`
	// Canaries is how many secrets the sweep made and searched for.
	Canaries int64 `json:"canaries"`
	// Effects counts the plans by what was struck.
	Effects map[string]int `json:"effects"`
	// Stages tells which parts ran.
	Stages []string `json:"stages"`
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	shared.began = time.Now()
	shared.result.Effects = map[string]int{}
	if shared.dir, err = os.MkdirTemp("", "mithaq-faults-"); err != nil {
		return 1, err
	}
	defer func() {
		if errRemove := os.RemoveAll(shared.dir); err == nil {
			err = errRemove
		}
	}()
	shared.log = filepath.Join(shared.dir, "operator.log")
	log, err := os.Create(shared.log)
	if err != nil {
		return 1, err
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(log), zap.UseDevMode(false)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if shared.cluster, err = startCluster(ctx, shared.dir); err != nil {
		return 1, err
	}
	code = m.Run()
	cancel()
	if err := shared.env.Stop(); err != nil {
		return 1, err
	}
	if err := silent(); err != nil {
		shared.result.Violations++
		return 1, errors.Join(err, save())
	}
	return code, save()
}

// save writes the figures where `make faults` says.
func save() error {
	path := os.Getenv("FAULTS_OUT")
	if path == "" {
		return nil
	}
	r := &shared.result
	r.Seconds = time.Since(shared.began).Seconds()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fmt.Printf("%s\n", text)
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// sampled is how many plans `make test` plays, of so many runs.
const (
	sampled     = 24
	sampledRuns = 4
)

// wanted is how many plans are to be played, of so many; all with FAULTS=all.
func wanted(t *testing.T, of int) int {
	t.Helper()
	switch text := os.Getenv("FAULTS"); text {
	case "all":
		return of
	case "":
		return min(sampled, of)
	default:
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("FAULTS=%s is neither all nor a number", text)
		}
		return min(n, of)
	}
}

var (
	writeFaults   = []fault{crashBefore, crashAfter, lostBefore, lostAfter, conflict, throttled, broken}
	callFaults    = []fault{crashBefore, crashAfter, lostBefore, lostAfter, throttled, broken, timeout, brokenAfter}
	readFaults    = []fault{lostBefore, timeout, throttled, broken}
	consentFaults = []fault{wrongHolder, fewerScopes}
)

// serials makes every account another one.
var serials = struct {
	sync.Mutex
	n int
}{}

func serial() int {
	serials.Lock()
	defer serials.Unlock()
	serials.n++
	return serials.n
}

// plans are all plans: what a run without a fault does, each of it struck by every
// fault there is for it. A sample is of a few runs.
func plans(t *testing.T) (all []plan, effects []string) {
	t.Helper()
	var dry []plan
	for _, on := range sites() {
		for _, s := range scenarios() {
			if only := os.Getenv("FAULTS_ONLY"); strings.Contains(on.name+"/"+s.name, only) {
				dry = append(dry, plan{site: on, scenario: s})
			}
		}
	}
	if os.Getenv("FAULTS") == "" && os.Getenv("SEED") == "" {
		rand.Shuffle(len(dry), func(i, j int) { dry[i], dry[j] = dry[j], dry[i] })
		dry = dry[:min(sampledRuns, len(dry))]
	}
	for i, p := range playAll(t, dry) {
		if p == nil {
			continue
		}
		shared.result.Violations += len(p.violations)
		p.measure(t)
		of, named := p.strikes(dry[i])
		all, effects = append(all, of...), append(effects, named...)
	}
	return all, effects
}

// measure takes the figures of a run without a fault.
func (p *play) measure(t *testing.T) {
	t.Helper()
	for _, effect := range p.effects {
		t.Logf("    %s: %s", p.plan.site.name+"/"+p.scenario.name, effect)
	}
	if p.scenario.deletes || p.scenario.delay+p.scenario.slow > 0 {
		return
	}
	shared.result.MutatingCallsMax = max(shared.result.MutatingCallsMax, p.mutating)
	shared.result.APIWritesMax = max(shared.result.APIWritesMax, p.writes)
	shared.result.EventsMax = max(shared.result.EventsMax, p.events)
	const mostWrites, mostCalls = 20, 4 // the handover's design, I11
	if p.writes > mostWrites || p.mutating > mostCalls {
		t.Errorf("%s, %s: %s, want at most %d and %d", p.site.name, p.scenario.name, p.summary(), mostWrites, mostCalls)
	}
	t.Logf("%s, %s: %s", p.site.name, p.scenario.name, p.summary())
}

// strikes are the plans that strike what a run without a fault did.
func (p *play) strikes(dry plan) (all []plan, effects []string) {
	nth := map[where]int{}
	for _, effect := range p.effects {
		at, faults := atConsent, consentFaults
		switch effect[:4] {
		case "writ":
			at, faults = atAPI, writeFaults
		case "call":
			at, faults = atCall, callFaults
		case "read":
			at, faults = atRead, readFaults
		}
		nth[at]++
		if at == atRead && p.scenario.name != "planned" {
			continue // every pass begins with the same reads
		}
		for _, f := range faults {
			pl := dry
			pl.where, pl.nth, pl.fault = at, nth[at], f
			all, effects = append(all, pl), append(effects, effect)
		}
	}
	return all, effects
}

// choose picks n plans at random: every fault of every effect at least twice, for one
// may strike nothing, and for the rest so that as many as can be differ in platform,
// scenario, effect or fault.
func choose(all []plan, effects []string, n int) []int {
	const least = 2
	var must, first, more []int
	struck, seen := map[string]int{}, map[string]bool{}
	for _, i := range rand.Perm(len(all)) {
		pl := &all[i]
		fault := effects[i] + ", " + string(pl.fault)
		kind := pl.site.name + pl.scenario.name + fault
		struck[fault]++
		switch {
		case struck[fault] <= least:
			must = append(must, i)
		case !seen[kind]:
			first = append(first, i)
		default:
			more = append(more, i)
		}
		seen[kind] = true
	}
	order := slices.Concat(must, first, more)[:n]
	slices.Sort(order)
	return order
}

// playAll plays plans beside each other and tells of what was violated.
func playAll(t *testing.T, all []plan) []*play {
	t.Helper()
	out := make([]*play, len(all))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers() {
		wg.Go(func() {
			for i := range next {
				pl := all[i]
				pl.serial = serial()
				p, err := perform(t.Context(), shared.cluster, pl)
				if err != nil {
					t.Errorf("%s: %v", pl, err)
				}
				out[i] = p
				if p != nil && len(p.violations) > 0 && pl.mistake == nil {
					t.Errorf("make faults SEED='%s'\n\t%v", pl, p.violations)
				}
			}
		})
	}
	for i := range all {
		if i%100 == 99 {
			tellProgress(i+1, len(all))
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}

// tellProgress says how far the plans are, and whether anything grows with their number.
func tellProgress(n, of int) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Printf("faults: %d of %d plans after %s; %d MiB of heap, %d goroutines\n",
		n, of, time.Since(shared.began).Truncate(time.Second), memory.HeapAlloc>>20, runtime.NumGoroutine())
}

func workers() int {
	if n, err := strconv.Atoi(os.Getenv("FAULTS_WORKERS")); err == nil {
		return n
	}
	return 2 * runtime.NumCPU()
}

// Every effect of every scenario on every platform, with every fault.
func TestNoFaultBreaksAnInvariant(t *testing.T) {
	shared.result.Stages = append(shared.result.Stages, "sweep")
	all, effects := plans(t)
	if seed := os.Getenv("SEED"); seed != "" {
		replay(t, all, seed)
		return
	}
	order := choose(all, effects, wanted(t, len(all)))
	chosen := make([]plan, len(order))
	for i, n := range order {
		chosen[i] = all[n]
	}
	missed := 0
	for i, p := range playAll(t, chosen) {
		if p == nil {
			continue
		}
		shared.result.Violations += len(p.violations)
		shared.result.OverlappingCalls += p.overlapping
		if !p.struck {
			missed++ // a renewal fell otherwise: its jitter is the account's own
			continue
		}
		shared.result.Plans++
		shared.result.Effects[effects[order[i]]+", "+string(p.fault)]++
	}
	t.Logf("%d of %d plans struck, %d did not", len(chosen)-missed, len(all), missed)
	if missed*20 > len(chosen) {
		t.Errorf("%d of %d faults did not strike", missed, len(chosen))
	}
	covered(t)
}

// effectsOf are e1 to e21 of the handover's design, and what they are called here. The
// event of e21 is told with its status.
var effectsOf = []string{
	"write e1 e2", "write e3", "write e4", "call e5", "write e6", "call e7", "write e8", "write e9", "write e10", "write e11",
	"call e12", "call e13", "write e14", "write e15", "call e16", "write e17", "call e18", "call e19", "write e20", "write e21",
}

// covered says how often each effect was struck before and after it, and fails where a
// whole run left one out.
func covered(t *testing.T) {
	t.Helper()
	for _, effect := range effectsOf {
		before, after, others := 0, 0, 0
		for struck, n := range shared.result.Effects {
			switch {
			case !isEffect(struck, effect):
			case strings.HasSuffix(struck, ", "+string(crashBefore)):
				before += n
			case strings.HasSuffix(struck, ", "+string(crashAfter)):
				after += n
			default:
				others += n
			}
		}
		t.Logf("%-12s crash before %4d, crash after %4d, other faults %4d", effect, before, after, others)
		if os.Getenv("FAULTS") != "" && shared.result.Plans > 2800 && min(before, after, others) == 0 {
			t.Errorf("%s was not struck before, after and otherwise", effect)
		}
	}
}

// isEffect says that what was struck is, or is part of, an effect: one write may be several.
func isEffect(struck, effect string) bool {
	was, fields := strings.Fields(strings.ReplaceAll(struck, ",", " ")), strings.Fields(effect)
	return was[0] == fields[0] && slices.Contains(was, fields[1])
}

// replay plays one plan again, and shows it.
func replay(t *testing.T, all []plan, seed string) {
	t.Helper()
	i := slices.IndexFunc(all, func(p plan) bool { return p.String() == seed })
	if i < 0 {
		t.Fatalf("no plan has the seed %q", seed)
	}
	p := playAll(t, all[i:i+1])[0]
	if p == nil {
		return
	}
	for _, effect := range p.effects {
		t.Log(effect)
	}
	t.Logf("%s, violations %v", p.summary(), p.violations)
}
