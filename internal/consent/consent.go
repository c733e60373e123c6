// Package consent serves the pages on which a person consents that Mithaq may act
// for an account, and takes the platform's answer. It spends nothing: it hands the
// code over to the handover, which decides. What it holds lives in memory and for
// one offer only.
package consent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/shard"
	"mithaq.dev/mithaq/internal/wake"
)

// Paths of the service.
const (
	pathConsent  = "/consent/"
	pathCallback = "/oauth/callback"
	pathHealth   = "/healthz"
)

// Desk holds the offers that are open and the codes that came back. It is safe
// for concurrent use.
type Desk struct {
	// base is the service's public address, without a trailing slash; empty: the
	// service is off, and credentials come through inboxes.
	base  string
	woken *wake.Source

	mu     sync.Mutex
	offers map[string]offer
	codes  map[string]answer
	// gathered is when all offers of a new leader are known, by clock.
	gathered time.Time
	clock    clock.PassiveClock
}

type offer struct {
	custody.Offer
	// used: a code came back for this nonce. There is one exchange per offer.
	used bool
}

type answer struct{ nonce, code platform.Token }

// NewDesk returns a desk without offers. base is the public address of the
// service, such as https://mithaq.edu.example; empty turns it off.
func NewDesk(base string) *Desk {
	return &Desk{
		base: strings.TrimRight(base, "/"), woken: wake.NewUrgentSource(),
		offers: map[string]offer{}, codes: map[string]answer{},
	}
}

// Source wakes the controller of an account whose code came back.
func (d *Desk) Source() source.Source { return d.woken }

// RedirectURI is the address that platforms send people back to; it has to be
// registered with each app.
func (d *Desk) RedirectURI() string {
	if d.base == "" {
		return ""
	}
	return d.base + pathCallback
}

// URL is the address of an offer's page. It holds neither the nonce nor anything
// that the platform would accept.
func (d *Desk) URL(uid string, nonce platform.Token) string {
	if d.base == "" {
		return ""
	}
	return d.base + pathConsent + ticket(uid, nonce)
}

// ticket names an offer: whoever knows it can see the page, and no more. It begins with
// the hash of the account's UID, by which a replica finds out who has the offer, into
// however many shards the accounts are divided.
func ticket(uid string, nonce platform.Token) string {
	return fmt.Sprintf("%016x.%s", shard.Hash(types.UID(uid)), secret(uid, nonce))
}

// placed is the hash in a ticket.
func placed(ticket string) (hash uint64, ok bool) {
	text, _, ok := strings.Cut(ticket, ".")
	if !ok || len(text) != 16 {
		return 0, false
	}
	hash, err := strconv.ParseUint(text, 16, 64)
	return hash, err == nil
}

func secret(uid string, nonce platform.Token) string {
	m := hmac.New(sha256.New, []byte(nonce))
	_, _ = m.Write([]byte("mithaq consent page\x00" + uid))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}

// Offer opens an offer, in place of an earlier one of the account.
func (d *Desk) Offer(o custody.Offer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for t, known := range d.offers {
		if known.UID != o.UID {
			continue
		}
		if known.Nonce == o.Nonce {
			known.Offer = o
			d.offers[t] = known
			return
		}
		delete(d.offers, t)
		delete(d.codes, o.UID)
	}
	d.offers[ticket(o.UID, o.Nonce)] = offer{Offer: o}
}

// Withdraw ends an account's offer.
func (d *Desk) Withdraw(uid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for t, known := range d.offers {
		if known.UID == uid {
			delete(d.offers, t)
		}
	}
	delete(d.codes, uid)
}

// Code is the code that came back for an account. It stays until its offer ends: a
// handover that had to be put off takes it again, and never sends it twice.
func (d *Desk) Code(uid string) (nonce, code platform.Token, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.codes[uid]
	return a.nonce, a.code, ok
}

// gatherUntil says that offers may still be missing until then.
func (d *Desk) gatherUntil(at time.Time, c clock.PassiveClock) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gathered, d.clock = at, c
}

func (d *Desk) gathering() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clock != nil && d.clock.Now().Before(d.gathered)
}

// find returns the offer of a page.
func (d *Desk) find(t string) (custody.Offer, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o, ok := d.offers[t]
	return o.Offer, ok && !o.used
}

// deliver takes a code in for the offer that state names: once, and for no other.
func (d *Desk) deliver(state string, code platform.Token) (custody.Offer, bool) {
	uid, nonce, ok := custody.ParseState(state)
	if !ok {
		return custody.Offer{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	t := ticket(uid, nonce)
	o, ok := d.offers[t]
	if !ok || o.used || o.UID != uid || !hmac.Equal([]byte(o.Nonce), []byte(nonce)) {
		return custody.Offer{}, false
	}
	o.used = true
	d.offers[t] = o
	d.codes[uid] = answer{nonce, code}
	d.woken.Add(reconcile.Request{NamespacedName: o.Account})
	return o.Offer, true
}

// refused finds the offer that a person declined; it stays open.
func (d *Desk) refused(state string) (custody.Offer, bool) {
	uid, nonce, ok := custody.ParseState(state)
	if !ok {
		return custody.Offer{}, false
	}
	return d.find(ticket(uid, nonce))
}
