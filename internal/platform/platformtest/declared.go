package platformtest

import (
	"slices"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// checkReads looks at every read that the adapter declares, and at its custody.
func checkReads(t *testing.T, a platform.Adapter) {
	t.Helper()
	reads := map[string]platform.Read{}
	for by, read := range a.Profiles {
		reads["profile by "+string(by)] = read
	}
	for stream, read := range a.Streams {
		reads["stream "+string(stream)] = read.Read
		if len(read.Actions) == 0 {
			t.Errorf("the stream %s shows no action", stream)
		}
		if read.Counter != 0 && !a.Readable.Has(read.Counter) {
			t.Errorf("the counter of the stream %s is not readable", stream)
		}
	}
	if a.Rereads.Batch > 0 {
		reads["posts again"] = a.Rereads
	}
	for what, read := range reads {
		if read.Batch < 1 || len(read.Charges) == 0 {
			t.Errorf("the read of the %s is incomplete: %+v", what, read)
		}
		for _, charge := range read.Charges {
			if _, ok := a.Budget(charge.Bucket); !ok {
				t.Errorf("the read of the %s is charged to bucket %q, which is no budget", what, charge.Bucket)
			}
		}
	}
	for call, charges := range a.Grants {
		for _, charge := range charges {
			if _, ok := a.Budget(charge.Bucket); !ok {
				t.Errorf("%s is charged to bucket %q, which is no budget", call, charge.Bucket)
			}
		}
	}
	if !slices.IsSorted(a.Custody.Scopes) {
		t.Errorf("the scopes are not sorted: %s", a.Custody.Scopes)
	}
	for _, gap := range a.Gaps {
		if gap.Subject == "" || gap.Why == "" {
			t.Errorf("the gap %+v is incomplete", gap)
		}
	}
}
