package observe

import (
	"fmt"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

func (r *rig) avatar(i int, url string) {
	r.platform.change(id(i), func(p *platform.Profile) { p.AvatarURL = url })
}

// One change of an image is told once, with its hashes.
func TestImages(t *testing.T) {
	r := newRig(t)
	r.fleet(2)
	r.avatar(0, "first")
	r.run(5 * time.Second)
	expectEach(t, r.accounts, 2, 1, "at first")
	if s := r.peek(0); s.AvatarSHA256 != "sha:first" || s.AvatarPerceptualHash != "hash:first" {
		t.Errorf("got %v", s)
	}
	if s := r.peek(1); s.AvatarSHA256 != "" {
		t.Errorf("got %v", s)
	}
	r.run(3 * testEvery)
	if got := r.media.take(); len(got) != 1 {
		t.Errorf("fetched %v", got)
	}
	r.avatar(0, "second")
	r.run(testEvery)
	r.expectWakes(0, 1)
	if s := r.peek(0); s.AvatarSHA256 != "sha:second" {
		t.Errorf("got %v", s)
	}
	// Its hashes outlive a suspension, as its profile does.
	r.platform.suspend(id(0))
	r.run(testEvery)
	r.expect(0, Suspended)
	if s := r.peek(0); s.AvatarSHA256 != "sha:second" || s.Profile.AvatarURL != "second" {
		t.Errorf("got %v", s)
	}
	r.platform.set(id(0), handle(0))
	r.avatar(0, "second")
	r.run(testEvery)
	r.expect(0, Found)
	// And a restart.
	w := restored(0)
	w.Restored = r.peek(0)
	r.restart()
	r.engine.Want(w)
	r.run(testEvery)
	if s := r.peek(0); s.AvatarSHA256 != "sha:second" || r.view(0).Restored {
		t.Errorf("got %v", s)
	}
	if got := r.media.take(); len(got) != 1 || got[0] != "second" {
		t.Errorf("fetched %v", got)
	}
}

// An image that cannot be fetched keeps nothing from being told, and is tried
// again, less and less often; another one is tried at once.
func TestImageFails(t *testing.T) {
	r := newRig(t)
	r.fleet(1)
	r.avatar(0, "first")
	r.media.fail = errBroken
	r.run(5 * time.Second)
	r.expect(0, Found)
	r.expectWakes(0, 1)
	if s := r.peek(0); s.AvatarSHA256 != "" {
		t.Errorf("got %v", s)
	}
	r.run(20 * testEvery)
	if got := len(r.media.take()); got < 4 || got > 8 {
		t.Errorf("tried %d times in 20 laps", got)
	}
	r.expectWakes(0, 0)
	if v := r.view(0); v.Stale || v.Snapshot.At.Before(r.clock.Now().Add(-testEvery-time.Second)) {
		t.Errorf("got %v", v)
	}
	r.avatar(0, "second")
	r.run(testEvery)
	if got := r.media.take(); len(got) == 0 || got[0] != "second" {
		t.Errorf("fetched %v", got)
	}
	r.accounts.take()
	r.media.fail = nil
	r.run(4 * testEvery)
	if s := r.peek(0); s.AvatarSHA256 != "sha:second" {
		t.Errorf("got %v", s)
	}
	r.expectWakes(0, 1)
}

// Slow images hold up neither other accounts nor, for long, their own.
func TestSlowImages(t *testing.T) {
	const slow = 5
	r := newRig(t)
	r.async = true
	r.fleet(50)
	for i := range 50 {
		url := fmt.Sprint("image", i)
		r.avatar(i, url)
		if i < slow {
			r.media.hold[url] = make(chan struct{})
		}
	}
	r.run(time.Second)
	until := func(i int) { // the images that are not held arrive
		for r.view(i).Snapshot == nil {
			select {
			case <-r.engine.kick:
			case <-t.Context().Done():
				t.Fatal("it never arrives")
			}
		}
	}
	for i := slow; i < 50; i++ {
		until(i)
		if s := r.peek(i); s.AvatarSHA256 == "" {
			t.Errorf("account %d: %v", i, s)
		}
	}
	for i := range slow {
		r.expect(i, "")
	}
	r.accounts.take()
	r.run(testEvery/2 + 2*time.Second)
	expectEach(t, r.accounts, slow, 1, "without their images")
	for i := range slow {
		r.expect(i, Found)
	}
	r.run(2 * testEvery)
	if v := r.view(0); v.Stale || v.Snapshot.At.Before(r.clock.Now().Add(-2*testEvery)) {
		t.Errorf("got %v", v)
	}
	expectEach(t, r.accounts, slow, 0, "while their images are still missing")
	for i := range slow {
		close(r.media.hold[fmt.Sprint("image", i)])
	}
	r.engine.underway.Wait()
	expectEach(t, r.accounts, slow, 1, "when the images arrive")
	for i := range slow {
		if s := r.peek(i); s.AvatarSHA256 != fmt.Sprint("sha:image", i) {
			t.Errorf("account %d: %v", i, s)
		}
	}
	if got := r.media.take(); len(got) != 50 {
		t.Errorf("fetched %d images, want 50", len(got))
	}
}

// An image that arrives late takes nothing back that was learned since.
func TestImageIsOvertaken(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*rig)
		want   Outcome
		sha    string
	}{
		"suspended":     {func(r *rig) { r.platform.suspend(id(0)) }, Suspended, ""},
		"another image": {func(r *rig) { r.avatar(0, "fast") }, Found, "sha:fast"},
		"no image":      {func(r *rig) { r.avatar(0, "") }, Found, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.one()
			r.avatar(0, "slow")
			r.media.hold["slow"] = make(chan struct{})
			r.async = true
			r.run(testEvery)
			tc.change(r)
			r.run(testEvery)
			close(r.media.hold["slow"])
			r.engine.underway.Wait()
			r.run(time.Second)
			if s := r.peek(0); s.Outcome != tc.want || s.AvatarSHA256 != tc.sha && tc.want == Found {
				t.Errorf("got %v", s)
			}
		})
	}
}

// An account that is forgotten while its image is fetched is not told of.
func TestImageOfAForgottenAccount(t *testing.T) {
	r := newRig(t)
	r.fleet(1)
	r.avatar(0, "slow")
	r.media.hold["slow"] = make(chan struct{})
	r.async = true
	r.run(time.Second)
	r.engine.Forget(key(0))
	close(r.media.hold["slow"])
	r.engine.underway.Wait()
	r.expectWakes(0, 0)
	// Moved to another connection, it is fetched there.
	r.fleet(1)
	r.avatar(0, "slower")
	r.media.hold["slower"] = make(chan struct{})
	r.run(time.Second)
	r.engine.SetConnection(r.connection("y"))
	w := wanted(0)
	w.Connection = "y"
	r.engine.Want(w)
	r.run(time.Second)
	close(r.media.hold["slower"])
	r.engine.underway.Wait()
	if s := r.peek(0); s == nil || s.AvatarSHA256 != "sha:slower" {
		t.Errorf("got %v", s)
	}
}

// Without a fetcher images are unknown.
func TestNoMedia(t *testing.T) {
	r := newRig(t)
	c := r.connection("x")
	c.Media = nil
	r.engine.SetConnection(c)
	r.fleet(1)
	r.avatar(0, "first")
	r.run(time.Second)
	if s := r.peek(0); s == nil || s.AvatarSHA256 != "" || s.Profile.AvatarURL != "first" {
		t.Errorf("got %v", s)
	}
}
