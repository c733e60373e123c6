package handover

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
)

// retry repeats save until it succeeds, conflicts, or ctx ends.
func retry(ctx context.Context, save func() error) error {
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 30, Cap: 10 * time.Second}
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, backoff, func(context.Context) (bool, error) {
		last = save()
		if last == nil {
			return true, nil
		}
		if apierrors.IsConflict(last) || apierrors.IsAlreadyExists(last) || apierrors.IsNotFound(last) {
			return false, last
		}
		return false, nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("storing a result: %w", last)
	}
	return err
}
