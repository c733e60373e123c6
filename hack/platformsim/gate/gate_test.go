package gate_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

const truth = `{"data":"what is true"}`

// plain renders errors as text, so that tests see which method was called.
type plain struct{}

func (plain) Status(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "status")
}

func (plain) Throttle(w http.ResponseWriter, reset time.Time) {
	if !reset.IsZero() {
		w.Header().Set("Reset", strconv.FormatInt(reset.Unix(), 10))
	}
	w.WriteHeader(http.StatusTooManyRequests)
}

type bench struct {
	world *world.World
	clock *clocktesting.FakeClock
	url   string
}

func newBench(t *testing.T) bench {
	t.Helper()
	clk := clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))
	w := world.New(clk)
	g := gate.Gate{World: w, Platform: world.X, Render: plain{}, Window: 15 * time.Minute}
	mux := http.NewServeMux()
	mux.Handle("/api", g.API("/api", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Lie", string(gate.Lie(r.Context())))
		_, _ = io.WriteString(w, truth)
	})))
	mux.Handle("/picture", g.Static("/picture", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})))
	mux.Handle("/silent", g.API("/silent", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return bench{w, clk, s.URL}
}

func (b bench) fault(t *testing.T, f world.Fault) {
	t.Helper()
	if err := b.world.SetFaults(world.X, f); err != nil {
		t.Fatal(err)
	}
}

// get returns the answer with as much of its body as arrived.
func (b bench) get(t *testing.T, path string) (resp *http.Response, body string, err error) {
	t.Helper()
	resp, err = http.Get(b.url + path)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp, string(data), err
}

func TestEveryKindIsImplemented(t *testing.T) {
	for _, kind := range world.FaultKinds() {
		b := newBench(t)
		b.fault(t, world.Fault{Kind: kind})
		// A client that is gone already ends the endless ones as well.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		g := gate.Gate{World: b.world, Platform: world.X, Render: plain{}}
		func() {
			defer func() {
				p := recover()
				if err, _ := p.(error); p != nil && !errors.Is(err, http.ErrAbortHandler) {
					t.Errorf("%s: %v", kind, p)
				}
			}()
			g.API("/e", http.NotFoundHandler()).ServeHTTP(discard{}, r)
		}()
		if n := b.world.Ledger().Asked(world.X, "/e"); n != 1 {
			t.Errorf("%s: counted %d times", kind, n)
		}
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestTrueAnswersPassAndAreCounted(t *testing.T) {
	b := newBench(t)
	if _, body, err := b.get(t, "/api"); body != truth || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	for path, want := range map[string]int{"/api": 200, "/picture": 418, "/silent": 200} {
		before := b.world.Ledger().Asked(world.X, path)
		if resp, _, err := b.get(t, path); err != nil || resp.StatusCode != want {
			t.Errorf("%s: %v", path, err)
		}
		if got := b.world.Ledger().Asked(world.X, path); got != before+1 {
			t.Errorf("%s: counted %d, want %d", path, got, before+1)
		}
	}
}

func TestWholeAnswersOfFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault       world.Fault
		status      int
		body        string
		header, has string
	}{
		"status":            {world.Fault{Kind: world.FaultStatus}, 503, "status", "", ""},
		"other status":      {world.Fault{Kind: world.FaultStatus, Status: 401}, 401, "status", "", ""},
		"throttle":          {world.Fault{Kind: world.FaultThrottle}, 429, "", "Reset", "1800000900"},
		"throttle for less": {world.Fault{Kind: world.FaultThrottle, DelaySeconds: 5}, 429, "", "Reset", "1800000005"},
		"throttle no reset": {world.Fault{Kind: world.FaultThrottleNoReset}, 429, "", "Reset", ""},
		"html":              {world.Fault{Kind: world.FaultHTML}, 200, "<!DOCTYPE html>", "Content-Type", "text/html; charset=utf-8"},
		"html 502":          {world.Fault{Kind: world.FaultHTML, Status: 502}, 502, "<!DOCTYPE html>", "", ""},
		"garbage":           {world.Fault{Kind: world.FaultGarbage}, 200, "\x00\xff", "Content-Type", "application/json; charset=utf-8"},
		"empty":             {world.Fault{Kind: world.FaultEmpty}, 200, "", "Content-Length", "0"},
		"empty object":      {world.Fault{Kind: world.FaultEmptyObject}, 200, "{}", "Content-Length", "2"},
		"truncated":         {world.Fault{Kind: world.FaultTruncated}, 200, truth[:len(truth)/2], "Content-Length", "11"},
		"lie":               {world.Fault{Kind: world.FaultAllNotFound}, 200, truth, "Lie", "allNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.fault(t, c.fault)
			resp, body, err := b.get(t, "/api")
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || !strings.HasPrefix(body, c.body) {
				t.Errorf("got %d %q", resp.StatusCode, body)
			}
			if got := resp.Header.Get(c.header); got != c.has {
				t.Errorf("%s is %q, want %q", c.header, got, c.has)
			}
			if n := b.world.Ledger().Requests; len(n) != 1 || n[0].Status != c.status {
				t.Errorf("ledger %+v", n)
			}
		})
	}
}

func TestConnectionBreaks(t *testing.T) {
	b := newBench(t)
	b.fault(t, world.Fault{Kind: world.FaultRefuse})
	// The client retries a reused connection, hence a fresh one.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := client.Get(b.url + "/api"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("refuse: %v", err)
	}
	if got := b.world.Ledger().Requests; len(got) != 1 || got[0].Status != 0 {
		t.Errorf("ledger %+v", got)
	}
	b.fault(t, world.Fault{Kind: world.FaultCutOff})
	resp, body, err := b.get(t, "/api")
	if !errors.Is(err, io.ErrUnexpectedEOF) || resp.ContentLength != int64(len(truth)) || body != truth[:len(truth)/2] {
		t.Errorf("cut off: %q, %v", body, err)
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	b := newBench(t)
	b.fault(t, world.Fault{Kind: world.FaultHang})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/api", strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		// Before the request has arrived, giving up would prove nothing.
		for b.world.Ledger().Asked(world.X, "/api") == 0 {
			runtime.Gosched()
		}
		cancel()
	}()
	if _, err := http.DefaultClient.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// Close, registered by newBench, blocks unless the handler returned.
}

func TestSlowDribblesByTheClock(t *testing.T) {
	b := newBench(t)
	b.fault(t, world.Fault{Kind: world.FaultSlow, DelaySeconds: 10})
	resp, err := http.Get(b.url + "/api")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body := bufio.NewReader(resp.Body)
	if got, err := body.Peek(9); string(got) != `{"data":[` {
		t.Fatalf("began with %q, %v", got, err)
	}
	_, _ = body.Discard(9)
	for range 3 {
		for !b.clock.HasWaiters() {
			runtime.Gosched()
		}
		b.clock.Step(10 * time.Second)
		if c, err := body.ReadByte(); c != ' ' || err != nil {
			t.Fatalf("dribbled %q, %v", c, err)
		}
	}
}

func TestDelayAnswersTrulyAfterTheTime(t *testing.T) {
	b := newBench(t)
	b.fault(t, world.Fault{Kind: world.FaultDelay, DelaySeconds: 60})
	go func() {
		for !b.clock.HasWaiters() {
			runtime.Gosched()
		}
		b.clock.Step(time.Minute)
	}()
	if _, body, err := b.get(t, "/api"); body != truth || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	if now := b.clock.Now().Unix(); now != 1_800_000_060 {
		t.Errorf("answered at %d", now)
	}
}

func TestPicturesAreStruckOnlyByName(t *testing.T) {
	b := newBench(t)
	b.fault(t, world.Fault{Kind: world.FaultStatus})
	if resp, _, err := b.get(t, "/picture"); err != nil || resp.StatusCode != http.StatusTeapot {
		t.Errorf("got %v, %v", resp, err)
	}
	b.fault(t, world.Fault{Kind: world.FaultStatus, Endpoint: "/picture"})
	if resp, _, err := b.get(t, "/picture"); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestLostAnswerComesAfterTheDeed(t *testing.T) {
	b := newBench(t)
	// The answer is cut off, so nothing orders the handler before what is read here.
	var done atomic.Int32
	g := gate.Gate{World: b.world, Platform: world.X, Render: plain{}}
	s := httptest.NewServer(g.API("/e", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done.Add(1)
		if fault := gate.Told(r.Context()); fault.Kind != "" {
			t.Errorf("the deed knows of the fault: %+v", fault)
		}
		_, _ = w.Write([]byte(truth))
	})))
	defer s.Close()
	b.fault(t, world.Fault{Kind: world.FaultLostAnswer})
	// On a connection used before, the library would send the request again.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.URL)
	if err == nil {
		resp.Body.Close()
		t.Error("an answer arrived")
	}
	if n := done.Load(); n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestItemsOfAFaultReachTheHandler(t *testing.T) {
	b := newBench(t)
	var told world.Fault
	g := gate.Gate{World: b.world, Platform: world.X, Render: plain{}}
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told = gate.Told(r.Context()) })
	b.fault(t, world.Fault{Kind: world.FaultNullItems, Items: 20})
	g.API("/e", next).ServeHTTP(discard{}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if told.Kind != world.FaultNullItems || told.Items != 20 {
		t.Errorf("told %+v", told)
	}
	if err := b.world.SetFaults(world.X, world.Fault{Kind: world.FaultNullItems, Items: -1}); err == nil {
		t.Error("negative items accepted")
	}
}
