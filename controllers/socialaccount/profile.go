package socialaccount

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/roster"
	"mithaq.dev/mithaq/internal/status"
)

// heartbeat is how old the counters of a status may become before they alone
// cause a write.
const heartbeat = 24 * time.Hour

// live is the profile of a status, made from the engine's snapshot.
func live(s *observe.Snapshot, readable governance.Facts) *v1alpha1.LiveProfile {
	if s == nil {
		return nil
	}
	p := s.Profile
	out := &v1alpha1.LiveProfile{
		Handle: p.Handle, DisplayName: p.DisplayName, Bio: p.Bio, Website: p.Website, Location: p.Location,
		AvatarURL: p.AvatarURL, BannerURL: p.BannerURL,
		AvatarSHA256:         v1alpha1.HexSHA256(s.AvatarSHA256),
		AvatarPerceptualHash: v1alpha1.HexPerceptualHash(s.AvatarPerceptualHash),
		State:                state(s),
		ObservedAt:           moment(s.At),
	}
	if p.ID == "" {
		return out
	}
	if readable.Has(governance.FactVerified) {
		out.Verified = ptr.To(p.Verified)
	}
	if readable.Has(governance.FactFollowers) {
		out.Followers = ptr.To(p.Followers)
	}
	if readable.Has(governance.FactPosts) {
		out.Posts = ptr.To(p.Posts)
	}
	out.LastPostAt = moment(p.LastPostAt)
	return out
}

func moment(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return ptr.To(status.Time(t))
}

func state(s *observe.Snapshot) v1alpha1.LiveState {
	switch s.Outcome {
	case observe.Found:
		if s.Profile.Protected {
			return v1alpha1.StateProtected
		}
		return v1alpha1.StateActive
	case observe.Suspended:
		return v1alpha1.StateSuspended
	case observe.NotFound:
		return v1alpha1.StateNotFound
	case observe.Deactivated:
		return v1alpha1.StateDeactivated
	case observe.HandleReassigned:
		return v1alpha1.StateHandleReassigned
	}
	return ""
}

// remembered is the snapshot that the object's own status holds: what an earlier
// process saw. It is nil if the account was never seen.
func remembered(acc *v1alpha1.SocialAccount) *observe.Snapshot {
	p := acc.Status.Profile
	if p == nil || p.State == "" || p.ObservedAt == nil {
		return nil
	}
	s := &observe.Snapshot{
		AvatarSHA256: string(p.AvatarSHA256), AvatarPerceptualHash: string(p.AvatarPerceptualHash), At: p.ObservedAt.Time,
		Profile: platform.Profile{
			ID: roster.PinnedID(acc), Handle: p.Handle, DisplayName: p.DisplayName, Bio: p.Bio, Website: p.Website, Location: p.Location,
			AvatarURL: p.AvatarURL, BannerURL: p.BannerURL, Verified: ptr.Deref(p.Verified, false),
			Protected: p.State == v1alpha1.StateProtected,
			Followers: ptr.Deref(p.Followers, 0), Posts: ptr.Deref(p.Posts, 0),
		},
	}
	if p.Handle == "" {
		s.Profile.ID = "" // gone before anybody saw it: there is no profile to remember
	}
	if p.LastPostAt != nil {
		s.Profile.LastPostAt = p.LastPostAt.Time
	}
	s.Outcome = outcomes[p.State]
	return s
}

// outcomes are the outcomes that the states of a status stand for.
var outcomes = map[v1alpha1.LiveState]observe.Outcome{
	v1alpha1.StateActive:           observe.Found,
	v1alpha1.StateProtected:        observe.Found,
	v1alpha1.StateSuspended:        observe.Suspended,
	v1alpha1.StateNotFound:         observe.NotFound,
	v1alpha1.StateDeactivated:      observe.Deactivated,
	v1alpha1.StateHandleReassigned: observe.HandleReassigned,
}

// settle keeps the counters, addresses of the same images, the digest with the rules it
// stands for, and how far was read of before in next where nothing else changed and the
// last write is less than a heartbeat old, so that these alone cause no write: next then
// says what before said, and settle says so.
func settle(before, next *v1alpha1.SocialAccountStatus) (unchanged bool) {
	if due(before.Profile, next.Profile) {
		return false
	}
	same := *next
	if before.Profile != nil && same.Profile != nil {
		profile := *same.Profile
		settleProfile(before.Profile, &profile)
		same.Profile = &profile
	}
	same.Activity = before.Activity
	if before.Evaluation != nil && same.Evaluation != nil {
		was, evaluation := before.Evaluation, *same.Evaluation
		evaluation.Digest, evaluation.Rules, evaluation.Passed = was.Digest, was.Rules, was.Passed
		same.Evaluation = &evaluation
	}
	if !status.Same(before, &same) {
		return false
	}
	*next = same
	return true
}

func settleProfile(before, next *v1alpha1.LiveProfile) {
	next.Followers, next.Posts = before.Followers, before.Posts
	next.LastPostAt, next.ObservedAt = before.LastPostAt, before.ObservedAt
	if observe.SameImage(before.AvatarURL, next.AvatarURL) {
		next.AvatarURL = before.AvatarURL
	}
	if observe.SameImage(before.BannerURL, next.BannerURL) {
		next.BannerURL = before.BannerURL
	}
}

// due says that the heartbeat is due: the account was seen again so much later.
func due(before, next *v1alpha1.LiveProfile) bool {
	return before != nil && next != nil && before.ObservedAt != nil && next.ObservedAt != nil &&
		next.ObservedAt.Sub(before.ObservedAt.Time) >= heartbeat
}
