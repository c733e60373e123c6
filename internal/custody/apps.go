package custody

import (
	"sync"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// App is one app of a connection, open.
type App struct {
	Adapter platform.Adapter
	Client  *platform.Client
}

// Custody is what the platform allows this app.
func (a App) Custody() platform.Custody { return a.Adapter.CustodyOf(a.Client) }

// Apps are the apps of all connections. It is safe for concurrent use.
type Apps struct {
	mu   sync.RWMutex
	open map[string]map[rotation.App]App
}

// NewApps returns an empty set.
func NewApps() *Apps { return &Apps{open: map[string]map[rotation.App]App{}} }

// Set replaces the apps of a connection; none closes it.
func (a *Apps) Set(connection string, apps map[rotation.App]App) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(apps) == 0 {
		delete(a.open, connection)
		return
	}
	a.open[connection] = apps
}

// Get finds an app.
func (a *Apps) Get(connection string, which rotation.App) (App, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	app, ok := a.open[connection][which]
	return app, ok
}
