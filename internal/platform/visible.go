package platform

import "mithaq.dev/mithaq/internal/text"

// Visible makes text from a platform safe to show, in at most limit code points: see
// text.Visible.
func Visible(s string, limit int) string { return text.Visible(s, limit) }
