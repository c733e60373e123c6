package consent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"k8s.io/utils/clock"

	"mithaq.dev/mithaq/internal/platform"
)

// Bounds of a request.
const (
	maxHeader = 16 << 10
	maxCode   = 4096
	patience  = 10 * time.Second
)

// Handler serves the pages. Every answer forbids caching, framing, referrers and
// scripts; no address holds anything that a platform would accept, apart from the
// callback, whose answer shows nothing of it.
func (d *Desk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathConsent+"{ticket}", d.page)
	mux.HandleFunc("GET "+pathCallback, d.callback)
	mux.HandleFunc("GET "+pathHealth, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { show(w, http.StatusNotFound, notFound, view{}) })
	return harden(mux)
}

// harden sets the headers of every answer (OWASP secure headers).
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}

// page shows who is asked to consent to what.
func (d *Desk) page(w http.ResponseWriter, r *http.Request) {
	o, ok := d.find(r.PathValue("ticket"))
	if !ok {
		d.unknown(w)
		return
	}
	show(w, http.StatusOK, invitation, view{Offer: o})
}

// unknown: there is no such offer, unless a new leader has yet to gather it.
func (d *Desk) unknown(w http.ResponseWriter) {
	if d.gathering() {
		busy(w)
		return
	}
	show(w, http.StatusNotFound, expired, view{})
}

// callback takes the platform's answer: exactly one state, and exactly one code or
// error (RFC 6749, section 4.1.2).
func (d *Desk) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	state, code, refusal := q["state"], q["code"], q["error"]
	switch {
	case len(state) != 1 || len(code) > 1 || len(code)+len(refusal) == 0 || len(code) == 1 && (code[0] == "" || len(code[0]) > maxCode):
		show(w, http.StatusBadRequest, malformed, view{})
	case len(refusal) > 0:
		o, ok := d.refused(state[0])
		if !ok {
			d.unknown(w)
			return
		}
		show(w, http.StatusOK, declined, view{Offer: o, Again: d.URL(o.UID, o.Nonce)})
	default:
		o, ok := d.deliver(state[0], platform.Token(code[0]))
		if !ok {
			d.unknown(w)
			return
		}
		show(w, http.StatusOK, received, view{Offer: o})
	}
}

// Server runs the service on every replica. Only the leader can spend what comes
// back; the others ask to try again in a moment, and leave a code unspent.
type Server struct {
	Desk *Desk
	// Address is where it listens.
	Address string
	// Leads is closed once this process leads; nil: it is alone.
	Leads <-chan struct{}
	Clock clock.PassiveClock
}

// gathering is how long a new leader may not know an offer yet: the accounts are
// looked at one after the other.
const gathering = time.Minute

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (s *Server) NeedLeaderElection() bool { return false }

// handler answers busy until this process leads.
func (s *Server) handler() http.Handler {
	pages := s.Desk.Handler()
	return harden(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.Leads:
		default:
			if s.Leads != nil && r.URL.Path != pathHealth {
				busy(w)
				return
			}
		}
		pages.ServeHTTP(w, r)
	}))
}

// lead notes when this process begins to lead.
func (s *Server) lead(ctx context.Context) {
	if s.Leads != nil {
		select {
		case <-s.Leads:
		case <-ctx.Done():
			return
		}
	}
	s.Desk.gatherUntil(s.Clock.Now().Add(gathering), s.Clock)
}

// busy asks to come again: the header makes a browser do so by itself, with the same
// address, and tells a proxy that another replica may answer.
func busy(w http.ResponseWriter) { again(w, "2", moment) }

// again asks to come again after some seconds, over a new connection: the one at hand
// leads to this replica.
func again(w http.ResponseWriter, seconds string, t text) {
	w.Header().Set("Refresh", seconds)
	w.Header().Set("Retry-After", seconds)
	w.Header().Set("Connection", "close")
	show(w, http.StatusServiceUnavailable, t, view{})
}

// Start serves until ctx ends.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("listening for consents: %w", err)
	}
	go s.lead(ctx)
	return serve(ctx, l, s.handler())
}

// silent is what net/http logs to: nothing of it may be kept.
var silent = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)

// serve serves until ctx ends. What goes wrong with a connection is not logged: it may
// name the address that was asked for.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: patience, ReadTimeout: patience, WriteTimeout: patience,
		IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: silent,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving consents: %w", err)
	case <-ctx.Done():
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if err := server.Shutdown(bounded); err != nil {
			return fmt.Errorf("serving consents: %w", err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving consents: %w", err)
		}
	}
	return nil
}
