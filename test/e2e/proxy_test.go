package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// proxy stands between the operator and the API server. It counts what the
// operator asks, and can spoil every n-th request.
type proxy struct {
	*httptest.Server

	mu     sync.Mutex
	every  int
	seen   int
	struck int
	asked  map[string]int
	wrote  []string
}

func newProxy(cfg *rest.Config) (*proxy, error) {
	target, err := url.Parse(cfg.Host)
	if err != nil {
		return nil, err
	}
	// The operator shows its own token: only the server's certificate is taken
	// from the admin's configuration.
	transport, err := rest.TransportFor(&rest.Config{Host: cfg.Host, TLSClientConfig: rest.TLSClientConfig{CAData: cfg.CAData}})
	if err != nil {
		return nil, err
	}
	p := &proxy{asked: map[string]int{}}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = target.Host
		},
		Transport:     transport,
		FlushInterval: -1,
		// A client that goes away, as a killed operator does, is no error.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p.next(r) {
		case "conflict":
			refuse(w, http.StatusConflict, metav1.StatusReasonConflict)
		case "error":
			refuse(w, http.StatusInternalServerError, metav1.StatusReasonInternalError)
		case "lost answer":
			// The server does what was asked, and the operator does not learn of it.
			lost := httptest.NewRecorder()
			forward.ServeHTTP(lost, r)
			refuse(w, http.StatusInternalServerError, metav1.StatusReasonInternalError)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	return p, nil
}

// certificate is what the operator trusts. Without TLS it would not show its token.
func (p *proxy) certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
}

// next counts a request and says what becomes of it.
func (p *proxy) next(r *http.Request) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[r.Method+" "+r.URL.Path]++
	write := r.Method != http.MethodGet
	if write && !strings.Contains(r.URL.Path, "/leases/") {
		p.wrote = append(p.wrote, r.Method+" "+r.URL.Path+" "+excerpt(r))
	}
	if p.every == 0 {
		return ""
	}
	if p.seen++; p.seen%p.every != 0 {
		return ""
	}
	p.struck++
	switch {
	case write && p.struck%3 == 0:
		return "lost answer"
	case write && p.struck%3 == 1:
		return "conflict"
	}
	return "error"
}

// excerpt is the beginning of a write, for the message of a test that fails.
func excerpt(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var object struct {
		Reason string `json:"reason"`
		Note   string `json:"note"`
		Status struct {
			Conditions []struct{ Type, Status, Reason, Message string } `json:"conditions"`
			// What a connection's status also says.
			Spend, Sweep, Budget, Counting json.RawMessage
		} `json:"status"`
	}
	if json.Unmarshal(body, &object) != nil {
		return fmt.Sprintf("%.200q", body)
	}
	s := object.Status
	return fmt.Sprintf("%s%s%s spend %s sweep %s budget %s counting %s", object.Reason, object.Note, s.Conditions, s.Spend, s.Sweep, s.Budget, s.Counting)
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	status := metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: "injected fault",
	}
	if err := json.NewEncoder(w).Encode(status); err != nil {
		return // the client went away
	}
}

// spoil makes every n-th request fail from now on; 0 ends it.
func (p *proxy) spoil(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.every, p.seen = n, 0
}

// faults is the number of requests that were spoilt.
func (p *proxy) faults() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.struck
}

// requests is how often the operator asked for a path.
func (p *proxy) requests(method, path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[method+" "+path]
}

// writes is the number of the operator's writes so far; since lists those after
// the first n.
func (p *proxy) writes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.wrote)
}

func (p *proxy) since(n int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.wrote[n:]...)
}
