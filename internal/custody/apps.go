package custody

import (
	"maps"
	"slices"
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
	mu     sync.RWMutex
	open   map[string]map[rotation.App]App
	opened func(connection string)
}

// NewApps returns an empty set.
func NewApps() *Apps { return &Apps{open: map[string]map[rotation.App]App{}} }

// OnOpen has opened called when the apps of a connection were set; it must not block.
// What was set before is told of at once.
func (a *Apps) OnOpen(opened func(connection string)) {
	a.mu.Lock()
	a.opened = opened
	known := slices.Collect(maps.Keys(a.open))
	a.mu.Unlock()
	for _, connection := range known {
		opened(connection)
	}
}

// Set replaces the apps of a connection; none closes it.
func (a *Apps) Set(connection string, apps map[rotation.App]App) {
	a.mu.Lock()
	opened := a.opened
	if len(apps) == 0 {
		delete(a.open, connection)
		opened = nil
	} else {
		a.open[connection] = apps
	}
	a.mu.Unlock()
	if opened != nil {
		opened(connection)
	}
}

// Get finds an app.
func (a *Apps) Get(connection string, which rotation.App) (App, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	app, ok := a.open[connection][which]
	return app, ok
}
