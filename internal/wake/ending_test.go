package wake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mithaq.dev/mithaq/internal/wake"
)

func TestOnlyTheEndOfTheProcessIsNoFailure(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	late, stop := context.WithTimeout(t.Context(), -time.Second)
	defer stop()
	other := errors.New("the account cannot be read")
	for name, c := range map[string]struct {
		ctx       context.Context
		err, want error
	}{
		"the process ends":                     {ended, fmt.Errorf("reading: %w", context.Canceled), nil},
		"another failure while it ends":        {ended, other, other},
		"something else was called off":        {t.Context(), context.Canceled, context.Canceled},
		"it took too long":                     {late, context.DeadlineExceeded, context.DeadlineExceeded},
		"it took too long, and was called off": {late, context.Canceled, context.Canceled},
		"nothing failed":                       {t.Context(), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			want := reconcile.Result{RequeueAfter: time.Minute}
			result, err := wake.Ending(reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) { return want, c.err })).Reconcile(c.ctx, reconcile.Request{})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.err == nil && result != want {
				t.Errorf("got %v", result)
			}
		})
	}
}
