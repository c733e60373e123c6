package main

import (
	"strings"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/platform"
)

func TestEvidenceFollowsWhatAnAdapterDeclares(t *testing.T) {
	a := platform.Adapter{
		Readable: platform.Fields(platform.FieldHandle, platform.FieldLastPost),
		Streams: map[platform.Stream]platform.StreamRead{
			platform.StreamPosts: {Actions: []platform.Action{platform.Publish, platform.Repost}},
			platform.StreamLikes: {Actions: []platform.Action{platform.Like}, OwnToken: true},
		},
	}
	bare := platform.Adapter{}
	of := func(rule string, action v1alpha1.ActivityAction) row {
		for _, r := range rows() {
			if r.rule.Name == rule && (action == "" || r.must[0] == action) {
				return r
			}
		}
		t.Fatalf("there is no row of %s", rule)
		return row{}
	}
	for _, tc := range []struct{ name, got, want string }{
		{"a fact that is told", facts(a, governance.FactHandle), "Observed"},
		{"one that is not", facts(a, governance.FactBio), "Unobservable: not told: bio"},
		{"some of several", facts(a, governance.FactHandle|governance.FactBio), "Observed: handle; not told: bio"},
		{"words", of("content/<name>", "").acts(a), "Observed: Publish, Repost, Like with a token"},
		{"words that nobody sees", of("content/<name>", "").acts(bare), "Unobservable: Publish is not shown"},
		{"a procedure over what is shown", of("activity/<name>", v1alpha1.ActionRepost).acts(a), "Observed"},
		{"one over what a token shows", of("activity/<name>", v1alpha1.ActionLike).acts(a), "Observed with a token"},
		{"one over what is not shown", of("activity/<name>", v1alpha1.ActionFollow).acts(a), "Unobservable: Follow is not shown"},
		{"silence that the profile tells", of("performance/max-silence", "").acts(platform.Adapter{Readable: a.Readable}), "Observed: the profile tells of the last post"},
		{"silence that nobody sees", of("performance/max-silence", "").acts(bare), "Unobservable: Publish is not shown"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, tc.got, tc.want)
		}
	}
}

func TestEveryRuleHasEvidenceOnEveryPlatform(t *testing.T) {
	page := evidence()
	for _, r := range governance.Rules() {
		if !strings.Contains(page, "`"+r.Name+"`") {
			t.Errorf("%s is missing", r.Name)
		}
	}
	if strings.Contains(page, "|  |") {
		t.Error("a cell is empty")
	}
}
