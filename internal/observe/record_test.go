package observe

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/internal/platform"
)

// Whatever a platform says is kept as it said it.
func TestARecordKeepsTheWholeSnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.String().Draw(t, name) }
		moment := func(name string) time.Time {
			if rapid.Bool().Draw(t, name+" is told") {
				// Also of years that a stamp cannot hold: a platform may tell anything.
				return time.Unix(rapid.Int64Range(-1<<38, 1<<38).Draw(t, name), rapid.Int64Range(0, 999_999_999).Draw(t, name+" ns")).UTC()
			}
			return time.Time{}
		}
		want := Snapshot{
			Outcome: rapid.SampledFrom([]Outcome{Found, Suspended, NotFound, Deactivated, HandleReassigned}).Draw(t, "outcome"),
			Profile: platform.Profile{
				ID: text("id"), Handle: text("handle"), DisplayName: text("name"), Bio: text("bio"), Website: text("website"),
				Location: text("location"), AvatarURL: text("avatar"), BannerURL: text("banner"), LastPostID: text("post"),
				Verified: rapid.Bool().Draw(t, "verified"), Protected: rapid.Bool().Draw(t, "protected"),
				Followers: rapid.Int64().Draw(t, "followers"), Posts: rapid.Int64().Draw(t, "posts"), LastPostAt: moment("posted"),
				Unread: platform.FieldSet(rapid.Uint16().Draw(t, "unread")),
			},
			AvatarSHA256: text("sha"), AvatarPerceptualHash: text("hash"), HolderID: text("holder"),
		}
		if got := pack(&want).unpack(); got != want {
			t.Fatalf("kept %+v\nas   %+v", want, got)
		}
	})
}

func TestAStampIsItsMoment(t *testing.T) {
	for _, at := range []time.Time{{}, epoch, epoch.Add(1)} {
		if got := stampOf(at).time(); !got.Equal(at) {
			t.Errorf("%s became %s", at, got)
		}
	}
}
