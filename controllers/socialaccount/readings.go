package socialaccount

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
)

// What the schema allows of how far a stream was read.
const (
	maxCursor  = 256
	maxCounter = 64
)

// streamNames are the streams by their names in a status.
var streamNames = map[v1alpha1.StreamName]platform.Stream{
	v1alpha1.StreamPosts: platform.StreamPosts, v1alpha1.StreamLikes: platform.StreamLikes, v1alpha1.StreamFollows: platform.StreamFollows,
}

// nameOf is the name of a stream in a status.
func nameOf(stream platform.Stream) v1alpha1.StreamName {
	for name, s := range streamNames {
		if s == stream {
			return name
		}
	}
	return ""
}

// activity tells how far what the account does was read. While nobody knows, what
// was known stays.
func activity(f facts, now time.Time) *v1alpha1.ActivityStatus {
	before := f.account.Status.Activity
	if len(f.actions) == 0 || f.record == nil {
		return nil
	}
	if f.view.Activity == nil {
		return before
	}
	next := &v1alpha1.ActivityStatus{Digest: v1alpha1.HexSHA256(f.record.Digest)}
	for _, r := range f.view.Activity.Readings {
		if s, ok := streamOf(r); ok {
			next.Streams = append(next.Streams, s)
		}
	}
	posts, whole, last := f.record.Posts(now)
	if whole {
		next.PostsLast30Days = ptr.To(int32(min(posts, 1<<30)))
	}
	next.LastPostAt = moment(last)
	return next
}

// streamOf is how far a stream was read, if that can be kept.
func streamOf(r observe.Reading) (v1alpha1.ActivityStream, bool) {
	out := v1alpha1.ActivityStream{Stream: nameOf(r.Stream), Cursor: string(r.Cursor), Counter: r.Counter, Since: moment(r.Since), ReadAt: moment(r.At)}
	if len(out.Counter) > maxCounter {
		out.Counter = ""
	}
	return out, out.Stream != "" && len(out.Cursor) <= maxCursor
}

// readings are what an earlier process left of how far it read.
func readings(a *v1alpha1.ActivityStatus) []observe.Reading {
	if a == nil {
		return nil
	}
	var out []observe.Reading
	for _, s := range a.Streams {
		if stream, ok := streamNames[s.Stream]; ok && s.ReadAt != nil {
			out = append(out, observe.Reading{Stream: stream, Cursor: platform.Cursor(s.Cursor), Counter: s.Counter, Since: instant(s.Since), At: s.ReadAt.Time})
		}
	}
	return out
}

func instant(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
