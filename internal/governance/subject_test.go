package governance

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestDriftComparesEachFieldItsOwnWay(t *testing.T) {
	sha := v1alpha1.HexSHA256(strings.Repeat("ab", 32))
	shaUpper := v1alpha1.HexSHA256(strings.Repeat("AB", 32))
	image := func(sha v1alpha1.HexSHA256, hash v1alpha1.HexPerceptualHash) v1alpha1.ApprovedProfile {
		return v1alpha1.ApprovedProfile{Avatar: &v1alpha1.ApprovedAvatar{SHA256: sha, PerceptualHash: hash}}
	}
	long := strings.Repeat("ب", 300)
	for _, tc := range []struct {
		name    string
		handle  string
		profile v1alpha1.ApprovedProfile
		live    func(*profile)
		want    []v1alpha1.Drift
	}{
		{name: "handle without case", handle: "EDU_RIYADH"},
		{name: "handle in another composition", handle: "caf\u00c9", live: func(p *profile) { p.Handle = "cafe\u0301" }},
		{name: "handle of somebody else", handle: "edu_jeddah", want: []v1alpha1.Drift{{Field: "handle", Want: "edu_jeddah", Got: "Edu_Riyadh"}}},
		{name: "name in another composition, and blanks around it", profile: v1alpha1.ApprovedProfile{DisplayName: "caf\u00e9"}, live: func(p *profile) { p.DisplayName = " cafe\u0301\n" }},
		{
			name: "name by case", profile: v1alpha1.ApprovedProfile{DisplayName: "MOE"}, live: func(p *profile) { p.DisplayName = "moe" },
			want: []v1alpha1.Drift{{Field: "displayName", Want: "MOE", Got: "moe"}},
		},
		{
			name: "bio is gone", profile: v1alpha1.ApprovedProfile{Bio: long}, live: func(p *profile) { p.Bio = "" },
			want: []v1alpha1.Drift{{Field: "bio", Want: strings.Repeat("ب", 255) + "…"}},
		},
		{name: "link by host's case and last slash", profile: v1alpha1.ApprovedProfile{Website: "HTTPS://Edu.Example/riyadh/"}},
		{name: "bare host and its slash", profile: v1alpha1.ApprovedProfile{Website: "https://edu.example"}, live: func(p *profile) { p.Website = "https://edu.example/" }},
		{
			name: "link by the path's case", profile: v1alpha1.ApprovedProfile{Website: "https://edu.example/Riyadh"},
			want: []v1alpha1.Drift{{Field: "website", Want: "https://edu.example/Riyadh", Got: "https://edu.example/riyadh"}},
		},
		{
			name: "link by scheme", profile: v1alpha1.ApprovedProfile{Website: "https://edu.example"}, live: func(p *profile) { p.Website = "http://edu.example" },
			want: []v1alpha1.Drift{{Field: "website", Want: "https://edu.example", Got: "http://edu.example"}},
		},
		{name: "image by digest", profile: image(shaUpper, ""), live: func(p *profile) { p.AvatarSHA256 = sha }},
		{
			name: "another image by digest", profile: image(sha, ""), live: func(p *profile) { p.AvatarSHA256 = sha[2:] + "00" },
			want: []v1alpha1.Drift{{Field: "avatar", Want: string(sha), Got: string(sha[2:] + "00")}},
		},
		{name: "digest not known", profile: image(sha, "")},
		{name: "image encoded anew", profile: image("", "3FFF00FF00FF00FF")},
		{
			name: "another image", profile: image("", "7fff00ff00ff00ff"),
			want: []v1alpha1.Drift{{Field: "avatar", Want: "7fff00ff00ff00ff", Got: moeHash}},
		},
		{
			name: "no image any more", profile: image("", moeHash), live: func(p *profile) { p.AvatarURL = "" },
			want: []v1alpha1.Drift{{Field: "avatar", Want: moeHash}},
		},
		{
			name: "everything, in a fixed order", handle: "x",
			profile: v1alpha1.ApprovedProfile{DisplayName: "d", Bio: "b", Website: "https://w.example", Avatar: &v1alpha1.ApprovedAvatar{PerceptualHash: moeHash}},
			live:    func(p *profile) { *p = profile{} },
			want: []v1alpha1.Drift{
				{Field: "handle", Want: "x"}, {Field: "displayName", Want: "d"}, {Field: "bio", Want: "b"},
				{Field: "website", Want: "https://w.example"}, {Field: "avatar", Want: moeHash},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			acc, live := newAccount(), newLive()
			acc.Spec.Handle, acc.Spec.Profile = or(tc.handle, "edu_riyadh"), &tc.profile
			if tc.live != nil {
				tc.live(live.Profile)
			}
			if diff := cmp.Diff(tc.want, Drift(acc, live)); diff != "" {
				t.Errorf("drift (-want +got):\n%s", diff)
			}
			live.Readable = 0
			if got := Drift(acc, live); got != nil {
				t.Errorf("drift in what was not read: %v", got)
			}
		})
	}
}

func TestDriftWithoutAnApprovedProfileIsOfTheHandleOnly(t *testing.T) {
	acc, live := newAccount(), newLive()
	live.Profile.Handle, live.Profile.Bio = "edu_jeddah", "defaced"
	want := []v1alpha1.Drift{{Field: "handle", Want: "edu_riyadh", Got: "edu_jeddah"}}
	if diff := cmp.Diff(want, Drift(acc, live)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

func TestNoDriftWithoutAnObservation(t *testing.T) {
	acc := newAccount()
	acc.Spec.Handle = "other"
	if got := slices.Concat(Drift(acc, nil), Drift(acc, &Live{Readable: allFacts})); got != nil {
		t.Errorf("drift %v from nothing", got)
	}
}
