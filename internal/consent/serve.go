package consent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

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
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
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
		show(w, http.StatusNotFound, expired, view{})
		return
	}
	show(w, http.StatusOK, invitation, view{Offer: o})
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
			show(w, http.StatusNotFound, expired, view{})
			return
		}
		show(w, http.StatusOK, declined, view{Offer: o, Again: d.URL(o.UID, o.Nonce)})
	default:
		o, ok := d.deliver(state[0], platform.Token(code[0]))
		if !ok {
			show(w, http.StatusNotFound, expired, view{})
			return
		}
		show(w, http.StatusOK, received, view{Offer: o})
	}
}

// Server runs the service while this process leads.
type Server struct {
	Desk *Desk
	// Address is where it listens.
	Address string
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the leader
// can spend what comes back.
func (s *Server) NeedLeaderElection() bool { return true }

// Start serves until ctx ends.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("listening for consents: %w", err)
	}
	server := &http.Server{
		Handler: s.Desk.Handler(), ReadHeaderTimeout: patience, ReadTimeout: patience, WriteTimeout: patience,
		IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if err = server.Shutdown(bounded); err == nil {
			err = <-ended
		}
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving consents: %w", err)
	}
	return nil
}
