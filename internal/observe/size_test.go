package observe

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// talker answers as a platform does: every answer is decoded anew, every account has a
// text and pictures of its own, and a website like those of its ministry.
type talker struct{}

func (talker) Observe(_ context.Context, _ platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	answers := make([]platform.Observation, len(refs))
	for i, ref := range refs {
		handle := strings.TrimPrefix(ref.ID, "1000000000000")
		answers[i] = platform.Observation{Ref: ref, Outcome: platform.Found, Profile: &platform.Profile{
			ID: strings.Clone(ref.ID), Handle: "body" + handle, DisplayName: "Body number " + handle + " of the ministry",
			Bio:       "The official account of body number " + handle + ". Complaints and questions: call 937, day and night. Policy: ministry.example/social",
			Website:   strings.Clone("https://ministry.example/bodies"),
			AvatarURL: "https://pictures.example/profile_images/" + ref.ID + "/abcdefgh_400x400.jpg",
			Verified:  true, Followers: 12_345, Posts: 678, LastPostID: "1790" + ref.ID[4:],
		}}
	}
	return answers, nil
}

// BenchmarkHeld tells what the engine holds of an account that was looked at.
func BenchmarkHeld(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e, clock := bench(talker{})
		for i := range n {
			e.Want(Target{
				Key: key(i), Connection: strings.Clone("x"), ID: fmt.Sprintf("1000000000000%05d", i), Handle: fmt.Sprintf("body%05d", i),
				Tier: strings.Clone("T1"), Every: testEvery, StaleAfter: testStale,
			})
		}
		turn(e, clock, testEvery+time.Minute)
		for i := range n {
			if v, _ := e.Look(key(i)); v.Snapshot == nil || v.Restored {
				b.Fatalf("account %d was not looked at", i)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/account")
		runtime.KeepAlive(e)
	}
}
