package custody

import (
	"context"
	"errors"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"mithaq.dev/mithaq/internal/platform"
)

var errNoCurrent = errors.New("the vault holds no token in use")

// Wallet lends accounts' own access tokens for reading. It remembers who has one, and
// opens the vault at each use: no token lies in memory. It is safe for concurrent use.
type Wallet struct {
	keeper *Keeper

	mu      sync.Mutex
	holders map[types.NamespacedName]holder
}

type holder struct {
	uid  types.UID
	held bool
}

// NewWallet returns a Wallet that knows nobody yet.
func NewWallet(keeper *Keeper) *Wallet {
	return &Wallet{keeper: keeper, holders: map[types.NamespacedName]holder{}}
}

// Note takes down whether an account has a token in use.
func (w *Wallet) Note(account types.NamespacedName, uid types.UID, held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holders[account] = holder{uid, held}
}

// Forget drops an account that is gone.
func (w *Wallet) Forget(account types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.holders, account)
}

// Held says whether an account has a token in use; not known: its vault was not opened
// yet.
func (w *Wallet) Held(account types.NamespacedName) (held, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, known := w.holders[account]
	return h.held, known
}

// Token opens the vault of an account and returns the token in use. Its error is an
// *platform.Error: KindUnauthorized where there is none, or the vault cannot be opened.
func (w *Wallet) Token(ctx context.Context, account types.NamespacedName) (platform.Token, error) {
	const op = "vault"
	w.mu.Lock()
	h := w.holders[account]
	w.mu.Unlock()
	if !h.held {
		return "", &platform.Error{Kind: platform.KindUnauthorized, Op: op, Err: errNoCurrent}
	}
	stored, err := w.keeper.Load(ctx, h.uid)
	switch {
	case Unusable(err):
		return "", &platform.Error{Kind: platform.KindUnauthorized, Op: op, Err: err}
	case err != nil:
		return "", &platform.Error{Kind: platform.KindUnavailable, Op: op, Err: err}
	case stored.Vault.Current == nil || stored.Vault.Current.Access == "":
		return "", &platform.Error{Kind: platform.KindUnauthorized, Op: op, Err: errNoCurrent}
	}
	return stored.Vault.Current.Access, nil
}
