package status

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// As turns a status into its apply configuration. Both have the same JSON form;
// fields that are empty in the status are absent from the configuration, which
// is how server-side apply removes what this writer no longer says.
func As[AC any](status any) (*AC, error) {
	raw, err := json.Marshal(status)
	if err != nil {
		return nil, fmt.Errorf("encoding status: %w", err)
	}
	out := new(AC)
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("decoding status as apply configuration: %w", err)
	}
	return out, nil
}

// Apply writes a status by forced server-side apply under the owner's name: one
// owner per controller, every field that it owns, no conflict with anybody's
// metadata. An observation costs quota; a conflict must not discard it.
func Apply(ctx context.Context, c client.Client, owner string, object runtime.ApplyConfiguration) error {
	if err := c.Status().Apply(ctx, object, client.FieldOwner(owner), client.ForceOwnership); err != nil {
		return fmt.Errorf("applying status: %w", err)
	}
	return nil
}
