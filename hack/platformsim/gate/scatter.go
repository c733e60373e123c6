package gate

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// Scatter returns the values in a fixed order that is never theirs: platforms
// promise none, so a client must not count on the one it asked in.
func Scatter(values []string) []string {
	out := slices.Clone(values)
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(Mix(a), Mix(b)) })
	if len(out) > 1 && slices.Equal(out, values) {
		out = append(out[1:], out[0])
	}
	return out
}

// Mix hashes a string, for orders and names that look arbitrary and are not.
func Mix(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	// FNV's last step leaves neighbouring ids close together.
	sum := h.Sum64()
	return (sum ^ sum>>29) * 0x9e3779b97f4a7c15
}
