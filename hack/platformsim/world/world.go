// Package world is the state a simulated platform shows and spends: accounts and
// what they post, developer apps, people with their roles and grants, pictures,
// faults, and the ledger of requests, budgets and money. It knows no wire format, so one world serves every simulated platform.
package world

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Kinds of error; test them with errors.Is.
var (
	// ErrNotFound: no such account or app.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the id or the handle belongs to another account.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: a value outside its bounds.
	ErrInvalid = errors.New("invalid")
	// ErrNoCredits: the app cannot pay for the read.
	ErrNoCredits = errors.New("no credits")
	// ErrClockFixed: the world's clock cannot be advanced.
	ErrClockFixed = errors.New("clock cannot be advanced")
)

// World is safe for concurrent use.
type World struct {
	clock clock.Clock

	mu       sync.RWMutex
	accounts map[Platform]*shelf
	posts    postStore

	apps   appStore
	faults faultPlan
	ledger ledger
	people peopleStore
	grants grantStore

	history history
	shown   shown
	reads   reads
}

// New returns an empty world that reads the time from c.
func New(c clock.Clock) *World {
	w := &World{
		clock:    c,
		accounts: map[Platform]*shelf{},
		posts:    newPostStore(),
		people:   newPeopleStore(),
		grants:   newGrantStore(),
		apps:     newAppStore(),
		faults:   newFaultPlan(),
		ledger:   ledger{credits: map[appKey]int64{}},
	}
	w.ledger.clear()
	return w
}

// Now is the world's time.
func (w *World) Now() time.Time { return w.clock.Now() }

// Clock is the clock the world was made with.
func (w *World) Clock() clock.Clock { return w.clock }

// Stepper is a clock that can be moved by hand, such as a ShiftedClock or the
// fake clock of k8s.io/utils.
type Stepper interface {
	Step(d time.Duration)
}

// Advance moves the clock forward by d, at most ten years, and returns the new
// time. It fails with ErrClockFixed if the clock has no Step, and with
// ErrInvalid for other d: day-wise billing counts on time not going back.
func (w *World) Advance(d time.Duration) (time.Time, error) {
	const most = 10 * 365 * 24 * time.Hour
	if d < 0 || d > most {
		return time.Time{}, fmt.Errorf("advancing the clock by %s: %w: want 0 to %s", d, ErrInvalid, most)
	}
	s, ok := w.clock.(Stepper)
	if !ok {
		return time.Time{}, ErrClockFixed
	}
	s.Step(d)
	return w.Now(), nil
}

// ShiftedClock runs at the pace of another clock, ahead of it by what was
// stepped. Only its reading moves: timers keep the base clock's pace, so a
// delay of two seconds stays two seconds for a person watching a demo.
type ShiftedClock struct {
	clock.Clock

	mu    sync.RWMutex
	ahead time.Duration
}

// NewShiftedClock returns a clock that shows base's time until it is stepped.
func NewShiftedClock(base clock.Clock) *ShiftedClock { return &ShiftedClock{Clock: base} }

// Now is the base clock's time plus all steps.
func (c *ShiftedClock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.Clock.Now().Add(c.ahead)
}

// Since is the shifted time passed since t.
func (c *ShiftedClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Step moves the clock by d.
func (c *ShiftedClock) Step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}
