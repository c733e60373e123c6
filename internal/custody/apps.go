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

// Apps are the apps of all connections. It is safe for concurrent use.
type Apps struct {
	mu   sync.RWMutex
	open map[string]map[rotation.App]App
	told func(connection string)
}

// NewApps returns an empty set. told, if not nil, hears of each change.
func NewApps(told func(connection string)) *Apps {
	if told == nil {
		told = func(string) {}
	}
	return &Apps{open: map[string]map[rotation.App]App{}, told: told}
}

// Set replaces the apps of a connection; none closes it.
func (a *Apps) Set(connection string, apps map[rotation.App]App) {
	a.mu.Lock()
	if len(apps) == 0 {
		delete(a.open, connection)
	} else {
		a.open[connection] = apps
	}
	a.mu.Unlock()
	a.told(connection)
}

// Get finds an app.
func (a *Apps) Get(connection string, which rotation.App) (App, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	app, ok := a.open[connection][which]
	return app, ok
}
