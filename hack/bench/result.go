package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"mithaq.dev/mithaq/hack/bench/fleet"
)

// result is the content of the file of figures. What was not measured is absent, and
// Failed or Skipped says why.
type result struct {
	Accounts int       `json:"accounts"`
	At       time.Time `json:"at"`
	Settings settings  `json:"settings"`

	Convergence  *convergence      `json:"convergence,omitempty"`
	Memory       *memory           `json:"memory,omitempty"`
	Platform     map[string]*asked `json:"platform,omitempty"`
	Ceiling      *ceiling          `json:"ceiling,omitempty"`
	Restart      *restart          `json:"restart,omitempty"`
	Steady       *steady           `json:"steady,omitempty"`
	Drift        *drift            `json:"drift,omitempty"`
	PolicyEdit   *policyEdit       `json:"policyEdit,omitempty"`
	Shards       *sharded          `json:"shards,omitempty"`
	MassHandover *massHandover     `json:"massHandover,omitempty"`
	Naive        *naive            `json:"naive,omitempty"`
	Failed       map[string]string `json:"failed,omitempty"`
	Skipped      []string          `json:"skipped,omitempty"`
	Targets      []target          `json:"targets,omitempty"`
}

// settings are what the figures were measured with.
type settings struct {
	CPUs int `json:"cpus"`
	// Apart: one half of them is the control plane's, the other everything else's.
	Apart       bool     `json:"apart,omitempty"`
	Go          string   `json:"go"`
	Flags       []string `json:"operatorFlags"`
	Environment []string `json:"operatorEnvironment"`
	// SimulatorLimits are those that were raised, so that budgets do not decide.
	SimulatorLimits map[string]string `json:"simulatorLimits"`
	// Connections is how many there are to each platform.
	Connections  map[string]int `json:"connections"`
	Rules        int            `json:"rules"`
	Namespaces   int            `json:"namespaces"`
	IdleSeconds  float64        `json:"idleIntervalSeconds"`
	SweepSeconds float64        `json:"sweepIntervalSeconds"`
	// EmptyRSSBytes is what the operator holds without accounts.
	EmptyRSSBytes int64 `json:"emptyRSSBytes"`
	// Notes say what a reader of the figures must know.
	Notes []string `json:"notes"`
}

// convergence is from the operator's start, with all accounts created and none ever
// looked at, to the last account's status that rests on an answer.
type convergence struct {
	Seconds                float64 `json:"seconds"`
	Writes                 int     `json:"writes"`
	WritesPerSecond        float64 `json:"writesPerSecond"`
	CeilingWritesPerSecond float64 `json:"ceilingWritesPerSecond,omitempty"`
	Ratio                  float64 `json:"ratio,omitempty"`
	CPUMicrosPerAccount    float64 `json:"cpuMicrosPerAccount"`

	WritesPerAccount float64 `json:"writesPerAccount"`
	// ReadySeconds is until the caches were in sync, WritingSeconds from the first
	// account's status to the last, WritingRatio the ratio in that time.
	ReadySeconds   float64        `json:"readySeconds"`
	WritingSeconds float64        `json:"writingSeconds"`
	WritingRatio   float64        `json:"writingRatio,omitempty"`
	Events         int            `json:"events"`
	ByResource     map[string]int `json:"writesByResource"`
	// ObjectBytes is the mean size of a converged object in JSON.
	ObjectBytes int `json:"objectBytes,omitempty"`
}

// memory is read after the first convergence. BytesPerAccount is all that the process
// holds, divided; Net leaves out what it holds without accounts.
type memory struct {
	RSSBytes           int64   `json:"rssBytes"`
	BytesPerAccount    float64 `json:"bytesPerAccount"`
	NetBytesPerAccount float64 `json:"netBytesPerAccount"`
	// Peak is the most that it ever held, until then.
	PeakBytes           int64   `json:"peakBytes"`
	PeakBytesPerAccount float64 `json:"peakBytesPerAccount"`
	NetPeakPerAccount   float64 `json:"netPeakBytesPerAccount"`
	// RestartPeak is that of a process that lists the converged fleet.
	RestartPeakBytes      int64   `json:"restartPeakBytes,omitempty"`
	RestartPeakPerAccount float64 `json:"restartPeakBytesPerAccount,omitempty"`
}

// asked is what was asked of a platform until every account of the fleet had been read
// once, and the fewest requests in which all of its accounts can be asked for. Total goes
// on to the end of the first convergence, and holds the looks that came due meanwhile.
type asked struct {
	Requests int `json:"requests"`
	Minimum  int `json:"minimum"`
	Total    int `json:"totalRequests"`
	Images   int `json:"images"`
	Tokens   int `json:"tokens"`
	Refused  int `json:"refused"`
}

// ceiling is what a bare client reaches that applies statuses.
type ceiling struct {
	Objects         int     `json:"objects"`
	Writers         int     `json:"writers"`
	WritesPerSecond float64 `json:"writesPerSecond"`
	ObjectBytes     int     `json:"objectBytes"`
}

// restart is from the start of a process with a converged fleet.
type restart struct {
	// SecondsToReady is until every account was judged and looked at by this process.
	SecondsToReady   float64 `json:"secondsToReady"`
	CacheSyncSeconds float64 `json:"cacheSyncSeconds"`
	APIWrites        int     `json:"apiWrites"`
	PlatformRequests int     `json:"platformRequests"`

	// ReadyzSeconds is until the caches were in sync, JudgedSeconds until every account
	// was judged, SweepSeconds how long a sweep of the platforms takes.
	ReadyzSeconds   float64        `json:"readyzSeconds"`
	JudgedSeconds   float64        `json:"judgedSeconds"`
	SweepSeconds    float64        `json:"sweepSeconds"`
	PlatformMinimum int            `json:"platformMinimum"`
	Events          int            `json:"events"`
	ByResource      map[string]int `json:"writesByResource"`
}

// steady is a time in which nothing happens.
type steady struct {
	Sweeps                      int     `json:"sweeps"`
	APIWrites                   int     `json:"apiWrites"`
	Events                      int     `json:"events"`
	CPUMicrosPerAccountPerSweep float64 `json:"cpuMicrosPerAccountPerSweep"`

	Seconds          float64        `json:"seconds"`
	PlatformRequests int            `json:"platformRequests"`
	PlatformMinimum  int            `json:"platformMinimum"`
	Leases           int            `json:"leaseWrites"`
	ByResource       map[string]int `json:"writesByResource"`
}

// drift is from the platform's answer that shows a change to the saved status, as a
// client's watch sees it.
type drift struct {
	Changed            int     `json:"changed"`
	DetectedP50Seconds float64 `json:"detectedP50Seconds"`
	DetectedP99Seconds float64 `json:"detectedP99Seconds"`

	Detected       int     `json:"detected"`
	SlowestSeconds float64 `json:"slowestSeconds"`
	// SlowestOf is the platform of the slowest.
	SlowestOf string `json:"slowestOf"`
	Writes    int    `json:"writes"`
	// Late are those that the first answer which showed them did not tell: another sweep
	// had passed when they were saved, or they never were.
	Late int `json:"late"`
	// Sweeps is how many passed from the first change until the last was saved.
	Sweeps float64 `json:"sweeps"`
}

// policyEdit is an edit that turns the verdict of one percent.
type policyEdit struct {
	Accounts        int     `json:"accounts"`
	ChangedVerdicts int     `json:"changedVerdicts"`
	Seconds         float64 `json:"seconds"`
	Writes          int     `json:"writes"`

	// SavedSeconds is until the last flipped verdict was saved, JudgedSeconds until every
	// account was judged.
	SavedSeconds  float64        `json:"savedSeconds"`
	JudgedSeconds float64        `json:"judgedSeconds"`
	ByResource    map[string]int `json:"writesByResource"`
}

// naive is the controller of hack/bench/naive.
type naive struct {
	CPUMicrosPerAccountPerSweep float64 `json:"cpuMicrosPerAccountPerSweep"`
	APIWritesPerAccountPerSweep float64 `json:"apiWritesPerAccountPerSweep"`
	PlatformRequestsPerAccount  float64 `json:"platformRequestsPerAccount"`

	// Accounts is the part of the fleet that it polled.
	Accounts int     `json:"accounts"`
	Sweeps   float64 `json:"sweeps"`
	Seconds  float64 `json:"seconds"`
}

func newResult(o options, f *fleet.Fleet) *result {
	r := &result{Accounts: f.N, At: time.Now().UTC().Truncate(time.Second), Failed: map[string]string{}}
	r.Settings = settings{
		CPUs: runtime.NumCPU(), Apart: o.apart, Go: runtime.Version(), SimulatorLimits: limits, Rules: fleet.Rules, Namespaces: fleet.Namespaces,
		IdleSeconds: o.idle.Seconds(), SweepSeconds: o.every.Seconds(), Connections: map[string]int{},
		Notes: []string{
			"all 30 rules are judged by profile and declaration: reading posts costs up to a request an account and is measured elsewhere",
			"every account of a platform shows the same picture, so that a fleet costs a few fetches of pictures and not one an account",
			together[o.apart],
			fmt.Sprintf("Facebook and Instagram have a connection for each %d accounts: through one, Mithaq sends two requests a second at most, of which a share is used", o.perConnection),
		},
	}
	for _, p := range fleet.Platforms() {
		r.Settings.Connections[string(p)] = len(f.Loads(p))
	}
	return r
}

// save writes the figures, and a copy that the next size does not overwrite.
func (r *result) save(path string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the figures: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	paths := []string{path}
	switch {
	case r.Settings.Apart && r.has("ceiling"):
		paths = append(paths, filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%d.json", apartCopies, r.Accounts)))
	case !r.Settings.Apart && len(r.Skipped) == 0:
		paths = append(paths, filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%d.json", copies, r.Accounts)))
	}
	for _, path := range paths {
		if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
			return fmt.Errorf("writing the figures: %w", err)
		}
	}
	return nil
}

// copies begins the names of the files by size; apartCopies those of runs in which the
// control plane has CPUs of its own.
const (
	copies      = "bench-accounts-"
	apartCopies = "bench-apart-"
)

// together says who shares CPUs with whom, by whether the control plane stands apart.
var together = map[bool]string{
	false: "control plane, simulator, operator and benchmark share the CPUs",
	true:  "etcd and kube-apiserver have one half of the CPUs; simulator, operator and benchmark share the other",
}

// failures are the phases that failed.
func (r *result) failures() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.Failed)) {
		errs = append(errs, fmt.Errorf("phase %s failed: %s", name, r.Failed[name]))
	}
	return errors.Join(errs...)
}
