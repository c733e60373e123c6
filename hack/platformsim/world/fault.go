package world

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// FaultKind is a way for a platform to misbehave.
type FaultKind string

// The kinds. Some stand in for the answer, some spoil the true answer, some
// make the platform lie with status 200.
const (
	// FaultRefuse resets the connection without an answer.
	FaultRefuse FaultKind = "refuse"
	// FaultHang sends nothing until the client hangs up.
	FaultHang FaultKind = "hang"
	// FaultDelay answers truly after DelaySeconds.
	FaultDelay FaultKind = "delay"
	// FaultSlow dribbles a byte every DelaySeconds (0: one) until the client hangs up.
	FaultSlow FaultKind = "slow"
	// FaultStatus answers Status (0: 503) with the platform's own error body.
	FaultStatus FaultKind = "status"
	// FaultThrottle answers 429 and says when to come back: in DelaySeconds,
	// 0 being the platform's window.
	FaultThrottle FaultKind = "throttle"
	// FaultThrottleNoReset answers 429 without any rate-limit header.
	FaultThrottleNoReset FaultKind = "throttleNoReset"
	// FaultHTML answers a web page with Status (0: 200).
	FaultHTML FaultKind = "html"
	// FaultGarbage answers bytes that are not JSON, labelled JSON.
	FaultGarbage FaultKind = "garbage"
	// FaultEmpty answers 200 without a body.
	FaultEmpty FaultKind = "empty"
	// FaultEmptyObject answers 200 with {}.
	FaultEmptyObject FaultKind = "emptyObject"
	// FaultHugeBody answers 256 MiB of JSON.
	FaultHugeBody FaultKind = "hugeBody"
	// FaultGzipBomb answers about 1 MiB of gzip that inflates to 1 GiB.
	FaultGzipBomb FaultKind = "gzipBomb"
	// FaultTruncated answers the first half of the true answer, as if it were whole.
	FaultTruncated FaultKind = "truncated"
	// FaultCutOff breaks the connection in the middle of the true answer.
	FaultCutOff FaultKind = "cutOff"
	// FaultShuffleForeign answers about accounts nobody asked for, only.
	FaultShuffleForeign FaultKind = "shuffleForeign"
	// FaultExtraForeign adds an account nobody asked for to the true answer.
	FaultExtraForeign FaultKind = "extraForeign"
	// FaultAllNotFound says of every account that it does not exist.
	FaultAllNotFound FaultKind = "allNotFound"
	// FaultAllSuspended says of every account that it is suspended.
	FaultAllSuspended FaultKind = "allSuspended"
	// FaultLostAnswer does what was asked and then resets the connection.
	FaultLostAnswer FaultKind = "lostAnswer"
	// FaultNullItems leaves out every Items-th item of answers that have items with
	// results of their own (Meta's batches); elsewhere it does nothing.
	FaultNullItems FaultKind = "nullItems"
	// FaultItemErrors answers a transient error for every Items-th such item.
	FaultItemErrors FaultKind = "itemErrors"
)

var faultKinds = []FaultKind{
	FaultRefuse, FaultHang, FaultDelay, FaultSlow, FaultStatus, FaultThrottle, FaultThrottleNoReset,
	FaultHTML, FaultGarbage, FaultEmpty, FaultEmptyObject, FaultHugeBody, FaultGzipBomb, FaultTruncated,
	FaultCutOff, FaultShuffleForeign, FaultExtraForeign, FaultAllNotFound, FaultAllSuspended,
	FaultLostAnswer, FaultNullItems, FaultItemErrors,
}

// FaultKinds lists all kinds.
func FaultKinds() []FaultKind { return slices.Clone(faultKinds) }

// Fault is a misbehaviour that is under way.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Status is an HTTP status, 200 to 599, for the kinds that say so.
	Status int `json:"status,omitempty"`
	// DelaySeconds, 0 to 86400, is for the kinds that say so; the world's clock counts them.
	DelaySeconds int `json:"delaySeconds,omitempty"`
	// EveryNth strikes only every n-th matching request; 0 and 1 are every one.
	EveryNth int `json:"everyNth,omitempty"`
	// Requests ends the fault after it struck so often; 0 is until it is cleared.
	Requests int `json:"requests,omitempty"`
	// Items is for the kinds that say so; 0 and 1 are every one. The items are
	// counted on from request to request, so that a repetition has another fate.
	Items int `json:"items,omitempty"`
	// Endpoint limits the fault to one endpoint; empty is the whole API, which
	// does not include pictures.
	Endpoint string `json:"endpoint,omitempty"`
}

// ActiveFault is a fault and what it did so far.
type ActiveFault struct {
	Fault
	Matched int `json:"matched"`
	Struck  int `json:"struck"`
}

type faultPlan struct {
	mu        sync.Mutex
	active    map[Platform][]*ActiveFault
	endpoints map[Platform][]string
}

func newFaultPlan() faultPlan {
	return faultPlan{active: map[Platform][]*ActiveFault{}, endpoints: map[Platform][]string{}}
}

// ServeEndpoints tells the world which endpoints of a platform are served, so
// that a fault for a misspelt one is refused.
func (w *World) ServeEndpoints(p Platform, endpoints ...string) {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	w.faults.endpoints[p] = slices.Clone(endpoints)
}

// SetFaults replaces the faults of a platform; the first that strikes a request
// wins. Without faults it ends them. It fails with ErrInvalid, changing nothing.
func (w *World) SetFaults(p Platform, faults ...Fault) error {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	active := make([]*ActiveFault, 0, len(faults))
	for _, f := range faults {
		if err := f.validate(w.faults.endpoints[p]); err != nil {
			return fmt.Errorf("setting faults of %s: %w: %w", p, ErrInvalid, err)
		}
		active = append(active, &ActiveFault{Fault: f})
	}
	w.faults.active[p] = active
	return nil
}

func (f Fault) validate(endpoints []string) error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("kind %q is not one of %v", f.Kind, faultKinds)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not 200 to 599", f.Status)
	case f.DelaySeconds < 0 || f.DelaySeconds > 86400:
		return fmt.Errorf("delaySeconds %d is not 0 to 86400", f.DelaySeconds)
	case min(f.EveryNth, f.Requests, f.Items) < 0:
		return fmt.Errorf("everyNth, requests and items cannot be negative")
	}
	return f.checkEndpoint(endpoints)
}

func (f Fault) checkEndpoint(endpoints []string) error {
	if f.Endpoint == "" || len(endpoints) == 0 || slices.Contains(endpoints, f.Endpoint) {
		return nil
	}
	return fmt.Errorf("endpoint %q is not one of %s", f.Endpoint, strings.Join(endpoints, ", "))
}

// Faults returns the faults of a platform.
func (w *World) Faults(p Platform) []ActiveFault {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	out := make([]ActiveFault, 0, len(w.faults.active[p]))
	for _, f := range w.faults.active[p] {
		out = append(out, *f)
	}
	return out
}

// NextFault counts a request to an endpoint and returns the fault that strikes
// it. If explicit, only a fault that names the endpoint can.
func (w *World) NextFault(p Platform, endpoint string, explicit bool) (Fault, bool) {
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	for _, f := range w.faults.active[p] {
		if f.Endpoint != endpoint && (f.Endpoint != "" || explicit) {
			continue
		}
		f.Matched++
		spent := f.Requests > 0 && f.Struck >= f.Requests
		if spent || f.Matched%max(f.EveryNth, 1) != 0 {
			continue
		}
		f.Struck++
		return f.Fault, true
	}
	return Fault{}, false
}
