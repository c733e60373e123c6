package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/bench/measure"
)

func TestAPhaseBringsWhatItNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		list string
		want []string
		err  bool
	}{
		"all":              {"", names(), false},
		"restart alone":    {"restart", []string{"convergence", "restart"}, false},
		"two":              {"naive, memory", []string{"convergence", "memory", "naive"}, false},
		"naive needs none": {"naive", []string{"naive"}, false},
		"a typing error":   {"restrat", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := selected(c.list)
			if (err != nil) != c.err {
				t.Fatalf("got %v", err)
			}
			for _, p := range names() {
				if err == nil && got[p] != slices.Contains(c.want, p) {
					t.Errorf("%s runs: %t", p, got[p])
				}
			}
		})
	}
}

// measured is a run that met every target but the writes of the steady phase.
func measured(n int) *result {
	return &result{
		Accounts: n, Failed: map[string]string{},
		Convergence: &convergence{Seconds: float64(n) / 300, Writes: n + 10, WritesPerSecond: 300, Ratio: 0.95, WritesPerAccount: 1.001},
		Memory:      &memory{RSSBytes: int64(n) * 5000, BytesPerAccount: 5000, PeakBytesPerAccount: 7000},
		Platform:    map[string]*asked{"X": {Requests: 100, Minimum: 100}, "YouTube": {Requests: 101, Minimum: 100}},
		Ceiling:     &ceiling{WritesPerSecond: 315, ObjectBytes: 3200},
		Restart:     &restart{SecondsToReady: 80, CacheSyncSeconds: 10, SweepSeconds: 90, JudgedSeconds: 20},
		Steady:      &steady{Sweeps: 3, APIWrites: 2, CPUMicrosPerAccountPerSweep: 10},
		Drift:       &drift{Changed: 10, DetectedP99Seconds: 1, Sweeps: 1},
		PolicyEdit:  &policyEdit{ChangedVerdicts: 10, Writes: 10, Seconds: 9},

		MassHandover: &massHandover{Rotations: 1000, WritesPerRotation: 19, OldestLookSeconds: 90, PromisedSeconds: 900},
		Naive:        &naive{CPUMicrosPerAccountPerSweep: 700},
		Shards: &sharded{
			Processes: processes, Gate: true, Ratio: 0.38, SameEndState: true,
			Killed: &killed{SecondsUntilObservedAgain: 140, BoundSeconds: 150},
		},
	}
}

func targetOf(t *testing.T, r *result, prefix string) target {
	t.Helper()
	for _, one := range r.Targets {
		if strings.HasPrefix(one.Name, prefix) {
			return one
		}
	}
	t.Fatalf("there is no target %q", prefix)
	return target{}
}

func TestTargetsAreMetByWhatWasMeasured(t *testing.T) {
	r := measured(1000)
	r.judge()
	for _, one := range r.Targets {
		if want := one.Name != "steady: API writes"; one.Met != want {
			t.Errorf("%s: met %t, %v", one.Name, one.Met, *one.Measured)
		}
	}
	if got := targetOf(t, r, "steady: API").margin(); got != "2 more" {
		t.Errorf("missed by %s", got)
	}
	if got := targetOf(t, r, "platform").margin(); got != "1.0% below" {
		t.Errorf("met by %s", got)
	}
	r.Convergence.Ratio = 0.81
	r.judge()
	if one := targetOf(t, r, "convergence: ratio"); one.Met || one.margin() != "10.0% below" {
		t.Errorf("a ratio of 0.81: %+v, %s", one, one.margin())
	}
}

func TestWhatWasNotMeasuredIsNotMet(t *testing.T) {
	failed, skipped, none := measured(1000), measured(1000), &result{}
	failed.Failed["steady"], failed.Steady = "no sweep", nil
	skipped.Skipped, skipped.Steady = []string{"steady"}, nil
	for name, r := range map[string]*result{"failed": failed, "skipped": skipped, "nothing": none} {
		r.judge()
		if one := targetOf(t, r, "steady: API"); one.Met || one.Measured != nil || one.Why == "" {
			t.Errorf("%s: %+v", name, one)
		}
	}
	if err := failed.failures(); err == nil || !strings.Contains(err.Error(), "no sweep") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(failed.table(), "FAILED: no sweep") || !strings.Contains(skipped.table(), "did not run: steady") {
		t.Error("the table keeps quiet about what is missing")
	}
}

func TestThePageShowsAllSizesAndTheirGrowth(t *testing.T) {
	folder := t.TempDir()
	page := filepath.Join(folder, "page.md")
	if err := os.WriteFile(page, []byte("# Before\n"+beginMark+"\nold\n"+endMark+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writePage(page, folder); err == nil {
		t.Error("a page without runs is written")
	}
	for _, n := range []int{10_000, 1000} {
		r := measured(n)
		r.judge()
		if err := r.save(filepath.Join(folder, "bench.json")); err != nil {
			t.Fatal(err)
		}
	}
	part := measured(5000)
	part.Skipped = []string{"naive"}
	if err := part.save(filepath.Join(folder, "bench.json")); err != nil {
		t.Fatal(err)
	}
	if err := writePage(page, folder); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(page); err != nil || strings.Contains(string(raw), "--apart") {
		t.Errorf("%v, or the page tells of runs that there are none of", err)
	}
	apart := measured(2000)
	apart.Settings.Apart, apart.Skipped = true, []string{"memory"}
	if err := apart.save(filepath.Join(folder, "bench.json")); err != nil {
		t.Fatal(err)
	}
	if err := writePage(page, folder); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, want := range []string{
		"# Before", "after\n", "| figure | 1000 | 10000 | growth |", "| convergence: seconds | 3.3 | 33.3 | 1.00 |",
		"**2, not met** (2 more)", "| X: USD a day for seeing everybody at least once | 20.00 | 265.19 | 2000.00 |",
		"(`BENCH_FLAGS=--apart`)", "| figure | 2000, ", "| raw ceiling: writes per second | 315.0 |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\nold\n") || strings.Contains(text, "| 5000 |\n|---") {
		t.Error("the old figures, or those of a part, are on the page")
	}
	if _, err := between("no markers", "x"); err == nil {
		t.Error("a page without markers is taken")
	}
}

// The fewest requests are those until everybody was read once, however many come after.
func TestFirstReadsAreCountedOnce(t *testing.T) {
	f, err := fleet.New(10, 2500)
	if err != nil {
		t.Fatal(err)
	}
	read, asked := 9, 5
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/reads":
			fmt.Fprintf(w, `{"accounts": %d}`, read)
		case "/v1/ledger":
			fmt.Fprintf(w, `{"requests": [{"platform": "X", "endpoint": "users", "status": 200, "count": %d}]}`, asked)
		}
	}))
	defer server.Close()
	b := &bench{options: options{state: t.TempDir()}, fleet: f, result: newResult(options{}, f), sim: measure.Simulator{Base: server.URL}}
	for _, step := range []struct {
		read, asked int
		all         bool
	}{{9, 5, false}, {10, 6, true}, {10, 9, true}} {
		read, asked = step.read, step.asked
		if err := b.firstRead(t.Context()); err != nil {
			t.Fatal(err)
		}
		if (b.allRead != nil) != step.all {
			t.Fatalf("%d of 10 read: all %t", read, b.allRead != nil)
		}
	}
	if err := b.platform(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x := b.result.Platform["X"]; x.Requests != 6 || x.Total != 9 || x.Minimum != 1 {
		t.Errorf("got %+v", x)
	}
}

func TestTheOperatorRunsAsItIsShipped(t *testing.T) {
	args, env, err := shipped("../..")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(args, "--leader-elect") || !slices.Contains(env, "POD_NAMESPACE=mithaq-system") {
		t.Errorf("%q, %q", args, env)
	}
	if !slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "GOMEMLIMIT=") && e != "GOMEMLIMIT=0" }) {
		t.Errorf("no memory limit: %q", env)
	}
	if _, _, err := shipped(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestTheTrackerCountsEachAccountOnce(t *testing.T) {
	tr := &tracker{accounts: map[string]*seen{}}
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Name: fleet.NamePrefix + "1", ResourceVersion: "1"}}
	tr.take(acc, now)
	tr.take(acc, now) // listed again
	if tr.count != 1 || tr.versions != 0 || tr.settled != 0 {
		t.Errorf("created: %+v", tr)
	}
	acc.ResourceVersion = "2"
	acc.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionObserved, Status: metav1.ConditionTrue}}
	tr.take(acc, now.Add(time.Second))
	acc.ResourceVersion = "3"
	acc.Status.Profile = &v1alpha1.LiveProfile{DisplayName: fleet.RenamedTo}
	acc.Status.Findings = []v1alpha1.Finding{{Rule: fleet.FlippedRule, Verdict: v1alpha1.VerdictViolated}}
	for range 2 {
		tr.take(acc, now.Add(2*time.Second))
	}
	if tr.settled != 1 || tr.versions != 2 || tr.drifted != 1 || tr.flipped != 1 || !tr.last.Equal(now.Add(time.Second)) {
		t.Errorf("changed: %+v", tr)
	}
	if at, ok := tr.driftedAt(acc.Name); !ok || !at.Equal(now.Add(2*time.Second)) || !tr.lastFlip().Equal(at) {
		t.Errorf("drifted at %s, flipped at %s", at, tr.lastFlip())
	}
	if _, ok := tr.driftedAt("nobody"); ok {
		t.Error("nobody drifted")
	}
}

func TestWhoIsDetectedLate(t *testing.T) {
	took := []time.Duration{time.Second, 59 * time.Second, time.Minute, 2 * time.Minute}
	if n := late(took, 6, time.Minute); n != 4 {
		t.Errorf("%d are late, want the two that took a sweep and the two that were never detected", n)
	}
}

func TestAnInterruptedRunKeepsWhatItHas(t *testing.T) {
	folder := t.TempDir()
	b := &bench{options: options{out: filepath.Join(folder, "bench.json"), page: filepath.Join(folder, "page.md")}, say: newTeller(os.Stderr), result: measured(1000)}
	wanted, err := selected("")
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	b.play(ctx, wanted)
	if err := b.report(ctx); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(b.out)
	if err != nil {
		t.Fatal(err)
	}
	kept := &result{}
	if err := json.Unmarshal(raw, kept); err != nil {
		t.Fatal(err)
	}
	if kept.Convergence == nil || !slices.Equal(kept.Skipped, names()) {
		t.Errorf("kept %+v, of which %v did not run", kept.Convergence, kept.Skipped)
	}
	if files, err := filepath.Glob(filepath.Join(folder, copies+"*")); err != nil || len(files) != 0 {
		t.Errorf("it counts as a whole run: %v, %v", files, err)
	}
}

// Objects of 5,000 bytes are no smaller because there are many of them.
func TestTheMeanSizeIsThatOfTheObjects(t *testing.T) {
	bodies := make([]body, 20_000)
	for i := range bodies {
		bodies[i].size = 4_999 + 2*(i%2)
	}
	if got := meanSize(bodies); got != 5_000 {
		t.Errorf("got %d, want 5000", got)
	}
}

// Who did not measure the size of its objects shows none, and not that they have none.
func TestASizeThatWasNotMeasuredIsAbsent(t *testing.T) {
	run := measured(1_000)
	run.Ceiling.ObjectBytes = 0
	for _, line := range strings.Split(scalingTable([]*result{run}), "\n") {
		if strings.HasPrefix(line, "| bytes of an object") && !strings.Contains(line, "–") {
			t.Error(line)
		}
	}
}
