package connection

import (
	"testing"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/x"
)

// TestImagesOnlyFromKnownHosts: an image URL comes out of an answer that anybody
// can write into.
func TestImagesOnlyFromKnownHosts(t *testing.T) {
	adapter := x.Adapter()
	_, _, err := images(adapter, "https://api.x.com").Fetch(t.Context(), "http://127.0.0.1:1/secret.png")
	if platform.KindOf(err) != platform.KindInvalid {
		t.Errorf("an image of another host: got %v, want it refused as invalid", err)
	}
	_, _, err = images(adapter, "http://127.0.0.1:1").Fetch(t.Context(), "http://127.0.0.1:1/image.png")
	if platform.KindOf(err) != platform.KindUnavailable {
		t.Errorf("an image of a loopback endpoint where nobody listens: got %v, want unavailable", err)
	}
}
