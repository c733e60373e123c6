package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ActivityStatus is what was read of what the account does. Like the counters of
// the profile it never causes a write: it moves with another change, or once a
// day. No text of a post is in it.
type ActivityStatus struct {
	// digest is of what the policies said of acts when those were judged. With
	// another one they are read and judged anew.
	// +optional
	Digest HexSHA256 `json:"digest,omitempty"`
	// streams are the lists of activity that are read, and how far.
	// +optional
	// +listType=map
	// +listMapKey=stream
	// +kubebuilder:validation:MaxItems=3
	Streams []ActivityStream `json:"streams,omitempty"`
	// postsLast30Days is the number of posts of the 30 days before this status was
	// written; absent while they are not all known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PostsLast30Days *int32 `json:"postsLast30Days,omitempty"`
	// lastPostAt is when the newest post that was read was made.
	// +optional
	LastPostAt *metav1.Time `json:"lastPostAt,omitempty"`
}

// ActivityStream says how far one list of activity was read. A restart goes on
// from there.
type ActivityStream struct {
	// stream is the list.
	// +required
	Stream StreamName `json:"stream,omitempty"`
	// cursor is where reading goes on, in the platform's own terms; absent before
	// the first read, and where each read is the whole list.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[^\r\n]+$`
	Cursor string `json:"cursor,omitempty"`
	// counter is what the profile told at the last read of what would move with
	// something new: the id of the newest post, or the number of posts.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Counter string `json:"counter,omitempty"`
	// since is from when on everything was read.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// readAt is when it was last read.
	// +optional
	ReadAt *metav1.Time `json:"readAt,omitempty"`
}

// StreamName is one list of activity of an account.
// +kubebuilder:validation:Enum=Posts;Likes;Follows
// +enum
type StreamName string

// The lists of activity: a closed list.
const (
	// StreamPosts holds posts, replies and reposts.
	StreamPosts StreamName = "Posts"
	// StreamLikes holds likes made.
	StreamLikes StreamName = "Likes"
	// StreamFollows holds accounts followed.
	StreamFollows StreamName = "Follows"
)
