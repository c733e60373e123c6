// Package gate is what every simulated platform has in front of its endpoints:
// the request ledger and the faults of the world's plan.
package gate

import (
	"context"
	"io"
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Renderer writes a platform's own errors.
type Renderer interface {
	// Status writes the platform's usual answer for an HTTP status.
	Status(w http.ResponseWriter, status int)
	// Throttle writes the platform's refusal for asking too often; a zero reset
	// is not announced.
	Throttle(w http.ResponseWriter, reset time.Time)
}

// Gate guards the endpoints of one platform.
type Gate struct {
	World    *world.World
	Platform world.Platform
	Render   Renderer
	// Window is how far away an announced reset is if the fault does not say.
	Window time.Duration
}

// API guards an endpoint: next sees a request unless a fault answers it.
func (g Gate) API(endpoint string, next http.Handler) http.Handler {
	return g.guard(endpoint, false, next)
}

// Static guards pictures and the like, which only faults naming the endpoint strike.
func (g Gate) Static(endpoint string, next http.Handler) http.Handler {
	return g.guard(endpoint, true, next)
}

func (g Gate) guard(endpoint string, explicit bool, next http.Handler) http.Handler {
	count := func(status int) { g.World.CountRequest(g.Platform, endpoint, status) }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &counter{ResponseWriter: w, count: count}
		// A deferred call, as faults may abort the handler by panic.
		defer c.finish()
		fault, struck := g.World.NextFault(g.Platform, endpoint, explicit)
		if !struck {
			next.ServeHTTP(c, r)
			return
		}
		strike := strikes[fault.Kind]
		strike(strikeContext{g, fault, next}, c, r)
	})
}

type lieKey struct{}

// Lie is the fault by which a handler has to answer falsely, or the empty kind.
func Lie(ctx context.Context) world.FaultKind { return Told(ctx).Kind }

// Told is the whole fault of which Lie is the kind.
func Told(ctx context.Context) world.Fault {
	fault, _ := ctx.Value(lieKey{}).(world.Fault)
	return fault
}

// counter counts an answer before its first byte leaves, so that a client that
// has read an answer finds it in the ledger.
type counter struct {
	http.ResponseWriter

	count func(status int)
	done  bool
}

func (c *counter) WriteHeader(status int) {
	c.once(status)
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	c.once(http.StatusOK)
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counter) once(status int) {
	if !c.done {
		c.done = true
		c.count(status)
	}
}

func (c *counter) finish() { c.once(http.StatusOK) }

// maxDrain bounds what drain reads, in bytes.
const maxDrain = 1 << 20

// drain reads the request, because the server notices a client that hangs up
// only once the request is read to its end. It is false if that end did not come.
func drain(r *http.Request) bool {
	n, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxDrain+1))
	return err == nil && n <= maxDrain
}
