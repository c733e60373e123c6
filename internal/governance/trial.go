package governance

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/text"
)

// Caps of a FindingReference, in code points.
const (
	maxID      = 128
	maxURL     = 2048
	maxExcerpt = 120
)

// trial is one act before one policy.
type trial struct {
	j      *judgement
	policy *Policy
	act    *Act
	key    uint64
	at     int64
}

// violates records that the act violates a rule; near is the byte of the text that
// the excerpt is to show.
func (t trial) violates(id ruleID, detail string, near int) {
	t.j.record.matches = append(t.j.record.matches, match{
		ruleID: id, key: t.key, at: t.at, verdict: Violated, detail: detail, reference: t.reference(near),
	})
}

// undecided records that nobody can tell whether the act violates a rule.
func (t trial) undecided(id ruleID, why string) {
	t.j.record.matches = append(t.j.record.matches, match{ruleID: id, key: t.key, at: t.at, verdict: Unknown, detail: why})
}

func (t trial) reference(near int) *v1alpha1.FindingReference {
	act := t.act
	ref := &v1alpha1.FindingReference{Action: act.Action, ID: cmp.Or(clean(act.ID, maxID), "unknown")}
	if usable(act.URL) {
		ref.URL = v1alpha1.HTTPSURL(act.URL)
	}
	if act.Text == "" {
		return ref
	}
	sum := sha256.Sum256([]byte(act.Text))
	ref.SHA256 = v1alpha1.HexSHA256(hex.EncodeToString(sum[:]))
	if classOf(t.j.in.Account) != v1alpha1.ClassPersonal {
		ref.Excerpt = excerpt(act.Text, near)
	}
	return ref
}

// usable says that the API server takes an address.
func usable(address string) bool {
	rest, ok := strings.CutPrefix(address, "https://")
	return ok && rest != "" && utf8.RuneCountInString(address) <= maxURL && clean(address, maxURL) == address && !strings.ContainsAny(address, " \u00a0")
}

// what names the act in a message. What people do in their own name is not told apart.
func (t trial) what() string {
	what := nounOf(t.act.Action)
	to := t.act.Target.Handle
	if to == "" || t.act.Action == v1alpha1.ActionPublish || classOf(t.j.in.Account) == v1alpha1.ClassPersonal {
		return what
	}
	return what + prepositions[t.act.Action] + quote(to, maxQuote)
}

var nouns = map[v1alpha1.ActivityAction]string{
	v1alpha1.ActionPublish: "the post", v1alpha1.ActionReply: "the reply", v1alpha1.ActionRepost: "the repost",
	v1alpha1.ActionLike: "the like", v1alpha1.ActionFollow: "the follow",
}

var prepositions = map[v1alpha1.ActivityAction]string{
	v1alpha1.ActionReply: " to ", v1alpha1.ActionRepost: " from ", v1alpha1.ActionLike: " of a post by ", v1alpha1.ActionFollow: " of ",
}

func nounOf(a v1alpha1.ActivityAction) string { return nouns[a] }

// excerpt is a short part of a text around a byte, made safe to show. Numbers that may
// be somebody's are masked: the post shows them, we need not keep them.
func excerpt(s string, near int) string {
	from := min(max(near, 0), len(s))
	for n := 0; from > 0 && n < maxExcerpt/3; n++ {
		_, size := utf8.DecodeLastRuneInString(s[:from])
		from -= size
	}
	part := text.Visible(strings.Join(strings.Fields(masked(s[from:])), " "), maxExcerpt-boolInt(from > 0))
	if from > 0 && part != "" {
		part = "…" + part
	}
	return part
}

// maskedDigits is the least length of a number that is masked.
const maskedDigits = 7

// masked hides long numbers.
func masked(s string) string {
	runes := []rune(s)
	for from := 0; from < len(runes); from++ {
		to := from
		for to < len(runes) && unicode.IsDigit(runes[to]) {
			to++
		}
		if to-from >= maskedDigits {
			for i := from; i < to; i++ {
				runes[i] = '•'
			}
		}
		from = max(from, to)
	}
	return string(runes)
}
