package consent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/shard"
)

// Front is the service of a process that acts for shards. A browser comes to any
// replica: what is for an account whose shard another one holds is handed on to that
// one, which alone has the offer and takes the code. Nothing is kept here.
type Front struct {
	Layout shard.Layout
	// Locate is what the present holder of a shard announced, as Announce does; false:
	// nobody holds it.
	Locate func(shard int) (announced string, ok bool)
	// Address is where browsers come to, PeerAddress where other replicas do.
	Address, PeerAddress string
	// Host is how others reach this process, if PeerAddress names none.
	Host  string
	Clock clock.PassiveClock

	certificate tls.Certificate
	announced   string

	mu    sync.Mutex
	desks map[int]*Desk
}

// Announce makes this process's certificate, and says what its leases have to tell the
// others. It comes before Start.
func (f *Front) Announce() (string, error) {
	host, port, err := net.SplitHostPort(f.PeerAddress)
	if err != nil {
		return "", fmt.Errorf("the address for other replicas: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = f.Host
	}
	if host == "" {
		return "", errors.New("the address by which other replicas reach this one is not known: set $POD_IP or name a host in --consent-peer-bind-address")
	}
	if f.certificate, err = newCertificate(f.Clock.Now()); err != nil {
		return "", err
	}
	f.announced = peer{net.JoinHostPort(host, port), fingerprint(f.certificate.Certificate[0])}.String()
	return f.announced, nil
}

// Open lets a shard's desk take what is for it until ctx ends. Its offers may be missing
// for a while.
func (f *Front) Open(ctx context.Context, i int, d *Desk) {
	d.gatherUntil(f.Clock.Now().Add(gathering), f.Clock)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.desks == nil {
		f.desks = map[int]*Desk{}
	}
	f.desks[i] = d
	context.AfterFunc(ctx, func() { f.close(i, d) })
}

func (f *Front) close(i int, d *Desk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.desks[i] == d {
		delete(f.desks, i)
	}
}

func (f *Front) desk(i int) *Desk {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.desks[i]
}

// shardOf is the shard that a request is for; false: it is for no account.
func (f *Front) shardOf(r *http.Request) (int, bool) {
	if r.URL.Path == pathCallback {
		state := r.URL.Query()["state"]
		if len(state) != 1 {
			return 0, false
		}
		uid, _, ok := custody.ParseState(state[0])
		return f.Layout.Of(types.UID(uid)), ok
	}
	name, ok := strings.CutPrefix(r.URL.Path, pathConsent)
	hash, named := placed(name)
	return f.Layout.OfHash(hash), ok && named
}

// handler serves browsers; peers are the others' requests, which are handed on no more.
func (f *Front) handler(peers bool) http.Handler {
	nobody := NewDesk("").Handler() // malformed requests, and pages that there are not
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, ok := f.shardOf(r)
		if !ok {
			nobody.ServeHTTP(w, r)
			return
		}
		if d := f.desk(i); d != nil {
			d.Handler().ServeHTTP(w, r)
			return
		}
		if !peers && r.Method == http.MethodGet && f.handOn(w, r, i) {
			return
		}
		harden(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { away(w) })).ServeHTTP(w, r)
	})
}

// handOn hands a request on to the holder of its shard; false: there is none. Of the
// request it takes the address alone, and nothing of it is logged.
func (f *Front) handOn(w http.ResponseWriter, r *http.Request, i int) bool {
	text, ok := f.Locate(i)
	if !ok || text == f.announced { // ours, and not open yet or any more
		return false
	}
	to, err := parsePeer(text)
	if err != nil {
		return false
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "https", Host: to.address})
			p.Out.Host, p.Out.Header, p.Out.Body = "", http.Header{}, nil
		},
		Transport: to.transport(),
		ErrorLog:  silent, // it would name the address, and with it the code
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
			harden(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { away(w) })).ServeHTTP(w, r)
		},
	}
	proxy.ServeHTTP(w, r)
	return true
}

// away asks to come again: nobody who could take it answers. What was asked for stays as
// good as it was.
func away(w http.ResponseWriter) { again(w, "10", elsewhere) }

// Start serves until ctx ends.
func (f *Front) Start(ctx context.Context) error {
	var lc net.ListenConfig
	browsers, err := lc.Listen(ctx, "tcp", f.Address)
	if err != nil {
		return fmt.Errorf("listening for consents: %w", err)
	}
	peers, err := lc.Listen(ctx, "tcp", f.PeerAddress)
	if err != nil {
		return errors.Join(fmt.Errorf("listening for other replicas: %w", err), browsers.Close())
	}
	secured := tls.NewListener(peers, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{f.certificate}})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- serve(ctx, browsers, f.handler(false)); cancel() }()
	go func() { ended <- serve(ctx, secured, f.handler(true)); cancel() }()
	return errors.Join(<-ended, <-ended)
}
