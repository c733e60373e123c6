package custody

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/internal/rotation"
)

//nolint:revive // as its caller reads it
var ErrNotOurs = errors.New("the leader's lease is not ours for long enough")

// margin is what must be left of the lease after the longest call.
const margin = 5 * time.Second

// Guard says whether this process may change something on a platform now.
type Guard struct {
	// Live reads past any cache.
	Live client.Reader
	// Lease names the leader's lease; the zero key: there is no leader election, and
	// whoever runs is alone.
	Lease client.ObjectKey
	// Identity is this process's name in the lease.
	Identity string
	Clock    clock.PassiveClock
}

// Check reads the lease live. nil: it is ours for the longest call and a margin.
func (g *Guard) Check(ctx context.Context) error {
	if g == nil || g.Lease.Name == "" {
		return nil
	}
	var lease coordinationv1.Lease
	if err := g.Live.Get(ctx, g.Lease, &lease); err != nil {
		return fmt.Errorf("reading the leader's lease: %w", err)
	}
	spec := lease.Spec
	if spec.HolderIdentity == nil || *spec.HolderIdentity != g.Identity || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return ErrNotOurs
	}
	ends := spec.RenewTime.Add(time.Duration(*spec.LeaseDurationSeconds) * time.Second)
	if ends.Sub(g.Clock.Now()) < rotation.Budget+margin {
		return ErrNotOurs
	}
	return nil
}
