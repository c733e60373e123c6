package measure

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

const page = `# HELP apiserver_request_total [STABLE] Counter of apiserver requests
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="mithaq.dev",resource="socialaccounts",scope="resource",subresource="status",verb="APPLY",version="v1alpha1"} 12
apiserver_request_total{code="409",component="apiserver",dry_run="",group="mithaq.dev",resource="socialaccounts",scope="resource",subresource="status",verb="APPLY",version="v1alpha1"} 3
apiserver_request_total{code="200",component="apiserver",dry_run="",group="mithaq.dev",resource="socialaccounts",scope="cluster",subresource="",verb="LIST",version="v1alpha1"} 5
apiserver_request_total{code="0",component="apiserver",dry_run="",group="mithaq.dev",resource="socialaccounts",scope="cluster",subresource="",verb="WATCH",version="v1alpha1"} 5
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 40
apiserver_request_total{code="201",component="apiserver",dry_run="",group="events.k8s.io",resource="events",scope="resource",subresource="",verb="POST",version="v1"} 7
apiserver_request_total{code="200",component="apiserver",dry_run="",group="flowcontrol.apiserver.k8s.io",resource="flowschemas",scope="resource",subresource="status",verb="APPLY",version="v1"} 9
apiserver_request_total{code="201",component="apiserver",dry_run="",group="apps",resource="controllerrevisions",scope="resource",subresource="",verb="POST",version="v1"} 1
apiserver_request_total_other{verb="POST",resource="pods"} 99
`

func TestWritesAreCountedByResource(t *testing.T) {
	w, err := Writes(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"socialaccounts/status": 15, "leases": 40, "events": 7, "controllerrevisions": 1, "socialaccounts": 0, "flowschemas/status": 0, "pods": 0} {
		if w[name] != want {
			t.Errorf("%s: got %d, want %d", name, w[name], want)
		}
	}
	if w.Sum() != 16 {
		t.Errorf("the sum without leases and events is %d", w.Sum())
	}
	since := w.Since(Requests{"socialaccounts/status": 15, "leases": 39})
	if since.Sum() != 1 || since[Leases] != 1 || since.String() != "controllerrevisions 1, events 7, leases 1" {
		t.Errorf("since: %s", since)
	}
}

func TestMetricsThatAreNotThereAreNoZeroWrites(t *testing.T) {
	for name, text := range map[string]string{
		"an empty page": "", "another page": "go_goroutines 12\n", "no metrics": "<html>", "a broken line": "apiserver_request_total{verb=\"POST\" 5\n",
	} {
		if _, err := Writes(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestACounterSumsWhatMatches(t *testing.T) {
	for name, c := range map[string]struct {
		metric string
		want   map[string]string
		sum    int
	}{
		"all":            {"apiserver_request_total", nil, 82},
		"one label":      {"apiserver_request_total", map[string]string{"code": "409"}, 3},
		"two labels":     {"apiserver_request_total", map[string]string{"resource": "leases", "verb": "PUT"}, 40},
		"none":           {"apiserver_request_total", map[string]string{"verb": "GET"}, 0},
		"not yet there":  {"workqueue_depth", nil, 0},
		"longer by name": {"apiserver_request_total_other", nil, 99},
	} {
		if got, err := Counter([]byte(page), c.metric, c.want); got != c.sum || err != nil {
			t.Errorf("%s: got %d, %v", name, got, err)
		}
	}
}

func TestProcessorTimeIsReadBehindAnyName(t *testing.T) {
	const tail = " S 1 42 42 0 -1 4194560 1 0 0 0 250 150 9 9 20 0 14 0 100 0 0"
	for name, raw := range map[string]string{"plain": "42 (mithaq)" + tail, "with parentheses": "42 (a b) (c)" + tail} {
		if got, err := parseStat([]byte(raw)); got != 4*time.Second || err != nil {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	for name, raw := range map[string]string{"nothing": "", "no name": "42 mithaq S", "short": "42 (mithaq) S 1 2", "no number": strings.Replace("42 (m)"+tail, "250", "x", 1)} {
		if _, err := parseStat([]byte(raw)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestMemoryIsReadInKilobytes(t *testing.T) {
	got, err := parseStatus([]byte("Name:\tmithaq\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t9\n"))
	if err != nil || got != (Memory{RSS: 1 << 20, Peak: 2 << 20}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, raw := range map[string]string{"a dead process": "Name:\tmithaq\nState:\tZ\n", "no peak": "VmRSS:\t1 kB\n", "another unit": "VmRSS:\t1 MB\nVmHWM:\t1 MB\n", "no number": "VmRSS:\tx kB\nVmHWM:\t1 kB\n"} {
		if _, err := parseStatus([]byte(raw)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestThisProcessIsMeasured(t *testing.T) {
	if m, err := MemoryOf(os.Getpid()); err != nil || m.RSS <= 0 || m.Peak < m.RSS {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := CPU(os.Getpid()); err != nil {
		t.Error(err)
	}
	if _, err := CPU(1 << 30); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a process that is not there: %v", err)
	}
}
