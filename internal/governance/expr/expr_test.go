package expr

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"pgregory.net/rapid"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestFaultsAreReportedWhereTheyAre(t *testing.T) {
	for _, tc := range []struct {
		source string
		at     int
		text   string
	}{
		{"account.foo == ''", 7, "undefined field 'foo'"},
		{"account.tier == 'إدارة' && live.foo", 31, "undefined field 'foo'"},
		{"true &&\n  account.foo", 17, "undefined field 'foo'"},
		{"true && nobody == 1", 8, "undeclared reference to 'nobody' (in container '')"},
		{"account.tier == 1", 13, "found no matching overload for '_==_' applied to '(string, int)'"},
		{"account.handle.matches('[a')", 23, "invalid matches argument"},
		{"now > timestamp('yesterday')", 16, "invalid timestamp argument"},
		{"team.all(a, team.all(b, team.all(c, true)))", 32, "comprehension exceeds nesting limit"},
		{"account.name", 0, "the expression yields string, not a boolean"},
		{"dyn(true)", 0, "the expression yields dyn, not a boolean"},
		{"live.bio.", 9, "Syntax error: no viable alternative at input '.'"},
		{"\xff", 0, "the expression is not valid UTF-8"},
		{"post.text == ''", 0, "undeclared reference to 'post' (in container '')"},
		{"[1, 'a'] == []", 4, "expected type 'int' but found 'string'"},
		{strings.Repeat("(", 60) + "true" + strings.Repeat(")", 60), 0, "expression recursion limit exceeded: 50"},
		{"'" + strings.Repeat("x", maxSource) + "' == ''", 0, "expression code point size exceeds limit: size: 2056, limit 2048"},
	} {
		p, fault := Compile(Account, tc.source)
		if p != nil || fault == nil {
			t.Errorf("%.40q compiles", tc.source)
			continue
		}
		if fault.Position != tc.at || !strings.HasPrefix(fault.Text, tc.text) {
			t.Errorf("%.40q: position %d: %s", tc.source, fault.Position, fault.Text)
		}
	}
}

// samples are for each field an expression that is true of everything().
var samples = map[string]string{
	"account.name": "== 'riyadh-x'", "account.namespace": "== 'edu-riyadh'", "account.labels": "['region'] == 'riyadh'",
	"account.createdAt": "< now", "account.platform": "== 'X'", "account.handle": "== 'edu_riyadh'", "account.accountID": "== '2244994945'",
	"account.class": "== 'Official'", "account.tier": "== 'directorate'", "account.language": "== 'ar'", "account.purpose": ".contains('تعليم')",
	"account.unit": "== 'riyadh'", "account.accountable": ".endsWith('@edu.example')", "account.contact": "== 'media@edu.example'",
	"account.profile": ".bio == 'الحساب الرسمي'", "account.profile.displayName": "== live.displayName", "account.profile.bio": "!= ''",
	"account.profile.website": "== live.website", "account.attestations": ".exists(a, a.control == 'two-factor-enabled')",
	"account.acknowledgements":           ".all(a, a.policy == 'moe-manual')",
	"account.attestations[0].control":    "!= ''",
	"account.attestations[0].by":         "== 'c@edu.example'",
	"account.attestations[0].at":         "< now",
	"account.attestations[0].validUntil": "> now",
	"account.attestations[0].evidence":   ".startsWith('https://')",
	"account.acknowledgements[0].person": "== account.accountable", "account.acknowledgements[0].policy": "!= ''",
	"account.acknowledgements[0].version": "== '1.0'", "account.acknowledgements[0].at": "<= now",
	"live.handle": "== account.handle", "live.displayName": "!= ''", "live.bio": ".contains('الرسمي')", "live.website": ".startsWith('https://')",
	"live.location": "== 'الرياض'", "live.avatarURL": "!= ''", "live.bannerURL": "!= ''", "live.verified": "", "live.protected": "== false",
	"live.followers": "> 1000", "live.posts": ">= 300", "live.lastPostAt": "> now - duration('720h')", "live.state": "== 'Active'", "live.observedAt": "<= now",
	"team[0].person": "== 'b@edu.example'", "team[0].roles": "== ['Publisher']",
	"post.id": "== '208'", "post.action": "== 'Reply'", "post.at": "< now", "post.editedAt": "== now", "post.text": ".fold().contains('رقم الهويه')",
	"post.url": "!= ''", "post.links": ".exists(l, l.startsWith('https://edu.example/'))", "post.language": "== 'ar'", "post.by": "== '77'",
	"post.target": ".handle == 'SPAregions'", "post.target.id": "== '9'", "post.target.handle": "== 'SPAregions'", "post.target.governed": "== false",
}

// paths are all fields as expressions name them.
func paths() map[string]*cel.Type {
	all := map[string]*cel.Type{}
	for typ, path := range map[string]string{
		accountType: "account", profileType: "account.profile", attestationType: "account.attestations[0]", acknowledgementType: "account.acknowledgements[0]",
		liveType: "live", memberType: "team[0]", postType: "post", targetType: "post.target",
	} {
		for name, fieldType := range declared[typ] {
			all[path+"."+name] = fieldType
		}
	}
	return all
}

func TestEveryFieldIsReadable(t *testing.T) {
	for path := range paths() {
		sample, ok := samples[path]
		if !ok {
			t.Errorf("no expression tests %s", path)
			continue
		}
		for _, source := range []string{path + sample, "has(" + path + ")"} {
			if ok, err := compile(t, Post, source).Eval(everything()); !ok || err != nil {
				t.Errorf("%s: %v, %v", source, ok, err)
			}
		}
	}
	for path := range samples {
		if _, ok := paths()[path]; !ok {
			t.Errorf("%s is no field", path)
		}
	}
}

func TestWhatIsNotSetIsEmptyOrUnknown(t *testing.T) {
	bare := &Vars{Account: &v1alpha1.SocialAccount{}, Live: &v1alpha1.LiveProfile{Verified: ptr(true)}, Readable: everyFact, Now: today, Post: &PostVars{}}
	for path, typ := range paths() {
		if strings.Contains(path, "[0]") || strings.HasPrefix(path, "post.target.") || path == "live.verified" || path == "live.protected" || path == "account.class" || path == "account.profile" {
			continue
		}
		if ok, err := compile(t, Post, "has("+path+")").Eval(bare); ok || err != nil {
			t.Errorf("has(%s): %v, %v", path, ok, err)
		}
		var want *Unknown
		source := path + " == " + path
		switch typ.Kind() {
		case cel.StringKind, cel.ListKind, cel.MapKind:
			source = "size(" + path + ") == 0"
		default:
			want = &Unknown{Why: NotSet, Field: path}
		}
		ok, err := compile(t, Post, source).Eval(bare)
		if want == nil && (!ok || err != nil) || want != nil && !equal(err, want) {
			t.Errorf("%s: %v, %v", source, ok, err)
		}
	}
}

func equal(err error, want *Unknown) bool {
	var got *Unknown
	return errors.As(err, &got) && *got == *want
}

func TestWhatCannotBeReadIsUnknown(t *testing.T) {
	facts := map[string]Facts{
		"handle": factHandle, "displayName": factDisplayName, "bio": factBio, "website": factWebsite, "location": factLocation, "avatarURL": factAvatar,
		"bannerURL": factBanner, "verified": factVerified, "protected": factProtected, "followers": factFollowers, "posts": factPosts, "lastPostAt": factLastPost,
	}
	for name := range declared[liveType] {
		for _, source := range []string{"live." + name + " == live." + name, "has(live." + name + ")", "!has(live." + name + ")"} {
			p := compile(t, Account, source)
			gone := everything()
			gone.Live = nil
			vars := []*Vars{gone}
			if fact, ok := facts[name]; ok {
				hidden := everything()
				hidden.Readable &^= fact
				vars = append(vars, hidden)
			} else if name != "state" && name != "observedAt" {
				t.Errorf("no fact is behind live.%s", name)
			}
			for _, v := range vars {
				if ok, err := p.Eval(v); ok || !equal(err, &Unknown{Why: NotReadable, Field: "live." + name}) {
					t.Errorf("%s: %v, %v", source, ok, err)
				}
			}
		}
	}
}

func TestATargetThatThePlatformHidesIsUnknown(t *testing.T) {
	for name := range declared[targetType] {
		v := everything()
		v.Post.Target.Known = false
		source := "post.target." + name
		if ok, err := compile(t, Post, source+" == "+source).Eval(v); ok || !equal(err, &Unknown{Why: NotReadable, Field: source}) {
			t.Errorf("%s: %v, %v", source, ok, err)
		}
	}
	v := everything()
	v.Post.Target.Governed = nil
	if _, err := compile(t, Post, "post.target.governed").Eval(v); !equal(err, &Unknown{Why: NotReadable, Field: "post.target.governed"}) {
		t.Error(err)
	}
}

func TestWhatTheResultDoesNotDependOnNeedNotBeKnown(t *testing.T) {
	v := everything()
	v.Readable = 0
	for source, want := range map[string]bool{
		"account.tier == 'directorate' || live.verified":  true,
		"live.verified || account.tier == 'directorate'":  true,
		"live.verified && account.tier == 'school'":       false,
		"account.tier == 'school' ? live.verified : true": true,
	} {
		if ok, err := compile(t, Account, source).Eval(v); ok != want || err != nil {
			t.Errorf("%s: %v, %v", source, ok, err)
		}
	}
}

func TestAnOperationWithoutResultTellsWhere(t *testing.T) {
	for source, at := range map[string]int{
		"account.tier == 'directorate' && 1 / (size(team) - 2) == 1": 35,
		"account.labels['city'] == 'x'":                              14,
		"team[7].person == ''":                                       7,
		"timestamp(account.handle) < now":                            9,
		"account.handle.matches(account.handle + '[')":               22,
	} {
		_, err := compile(t, Account, source).Eval(everything())
		if !equal(err, &Unknown{Why: Failed, Position: at}) {
			t.Errorf("%s: %#v", source, err)
		}
		if strings.Contains(err.Error(), "edu_riyadh") {
			t.Errorf("the error quotes data: %s", err)
		}
	}
}

func TestExtensionsAreThere(t *testing.T) {
	for _, source := range []string{
		"account.handle.upperAscii() == 'EDU_RIYADH'", "account.handle.split('_')[1] == 'riyadh'", "sets.contains(['ar', 'en'], [account.language])",
		"[3, 1, 2].sort() == [1, 2, 3]", "[1, 1].distinct() == [1]", "account.handle.replace('edu', 'moe') == 'moe_riyadh'",
		"sets.intersects(team.map(m, m.person), ['b@edu.example'])", "'رقمُ الهويّة'.fold() == 'رقم الهويه'", "live.bio.size() < 160", "now.getFullYear() == 2026",
	} {
		if ok, err := compile(t, Account, source).Eval(everything()); !ok || err != nil {
			t.Errorf("%s: %v, %v", source, ok, err)
		}
	}
}

func TestTheCostLimitStopsAnEvaluation(t *testing.T) {
	v := everything()
	for len(v.Account.Spec.Team) < 2_000 {
		v.Account.Spec.Team = append(v.Account.Spec.Team, v1alpha1.TeamMember{Person: v1alpha1.PersonName(fmt.Sprint(len(v.Account.Spec.Team), "@edu.example"))})
	}
	source := "team.all(a, team.exists_one(b, a.person == b.person))"
	start := time.Now()
	if ok, err := compile(t, Account, source).Eval(v); ok || !equal(err, &Unknown{Why: TooCostly}) {
		t.Errorf("%v, %v", ok, err)
	}
	t.Logf("stopped after %v", time.Since(start))
	if ok, err := compile(t, Account, source).Eval(everything()); !ok || err != nil {
		t.Errorf("two people: %v, %v", ok, err)
	}
}

// What is proven cheap is cheap, counted: for the longest texts and lists that count
// as usual.
func TestTheProofHolds(t *testing.T) {
	v := everything()
	for len(v.Account.Spec.Team) < maxList {
		v.Account.Spec.Team = append(v.Account.Spec.Team, v.Account.Spec.Team[1])
	}
	v.Post.Text = strings.Repeat("ab ", maxText/3)
	v.Live.Bio = strings.Repeat("b", maxString)
	for _, source := range []string{
		"post.text.fold().contains('zz')", "post.text.contains('zz')", "post.text.matches('(a|b)+z')", "team.exists(m, 'None' in m.roles)",
		"team.map(m, m.person).join(',').contains('zz')", "post.text.split(' ').size() > 3", "post.text.replace('a', 'bb').size() > 3", "post.text.lowerAscii() == post.text.upperAscii()",
		"team.map(m, m.person).distinct().size() > 3", "sets.contains(team.map(m, m.person), ['x'])", "post.text.split(' ').exists(w, w.startsWith('z'))",
	} {
		p := compile(t, Post, source)
		if p.proven == nil {
			continue
		}
		if !v.isUsual() {
			t.Fatal("the variables are not usual")
		}
		_, details, err := p.limited.Eval(v)
		if err != nil || details.ActualCost() == nil || *details.ActualCost() > costLimit {
			t.Errorf("%s: %v", source, err)
		}
	}
	v.Post.Text += "aaaaaaaaaa"
	if v.isUsual() {
		t.Error("a text that is longer than assumed counts as usual")
	}
}

// Each role is there once, so what walks over the roles of a team costs little.
func TestWhatWalksOverRolesIsProven(t *testing.T) {
	p := compile(t, Account, "team.all(m, !('Approver' in m.roles && 'Publisher' in m.roles))")
	if p.proven == nil {
		t.Fatal("it is counted")
	}
	v := everything()
	for len(v.Account.Spec.Team) < maxList {
		v.Account.Spec.Team = append(v.Account.Spec.Team, v1alpha1.TeamMember{Roles: make([]v1alpha1.Role, maxRoles)})
	}
	_, details, err := p.limited.Eval(v)
	if err != nil || details.ActualCost() == nil || *details.ActualCost() > costLimit {
		t.Errorf("%v, %v", details, err)
	}
	if !v.isUsual() {
		t.Error("a team of the longest that is assumed is not usual")
	}
	v.Account.Spec.Team[3].Roles = make([]v1alpha1.Role, maxRoles+1)
	if v.isUsual() {
		t.Error("more roles than there are count as usual")
	}
}

func TestEvaluationTerminatesWithAValueOrAReason(t *testing.T) {
	parts := []string{"account.tier == 'school'", "has(live.location)", "live.verified", "team.exists(m, 'Publisher' in m.roles)", "live.followers > 10", "now > live.lastPostAt", "post.text.fold().contains('رقم')", "post.links.size() == 0", "post.target.governed", "true", "1/0 == 1"}
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.SampledFrom(parts).Draw(t, "first")
		for range rapid.IntRange(0, 5).Draw(t, "more") {
			source = fmt.Sprintf("%s(%s) %s (%s)", rapid.SampledFrom([]string{"", "!"}).Draw(t, "not"), source, rapid.SampledFrom([]string{"&&", "||", "=="}).Draw(t, "operator"), rapid.SampledFrom(parts).Draw(t, "next"))
		}
		p, fault := Compile(Post, source)
		if fault != nil {
			t.Fatalf("%s: %v", source, fault)
		}
		full := everything()
		full.Readable = Facts(rapid.Uint16().Draw(t, "readable"))
		some, errSome := p.Eval(full)
		var unknown *Unknown
		if errSome != nil && !errors.As(errSome, &unknown) {
			t.Fatalf("%s: %v", source, errSome)
		}
		counted := *p
		counted.proven = nil
		if again, err := counted.Eval(full); again != some || (err == nil) != (errSome == nil) {
			t.Fatalf("%s: %v, %v; counted %v, %v", source, some, errSome, again, err)
		}
		if all, err := p.Eval(everything()); errSome == nil && (err != nil || all != some) {
			t.Fatalf("%s: %v with less evidence, %v, %v with all", source, some, all, err)
		}
	})
}

func TestTheDocumentationListsEveryVariable(t *testing.T) {
	page, err := os.ReadFile("../../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	for path, typ := range paths() {
		row := fmt.Sprintf("| `%s` | %s |", path, strings.Replace(typ.String(), "google.protobuf.Timestamp", "timestamp", 1))
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/policy.md has no row that begins: %s", row)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for path, sample := range samples {
		f.Add(path + sample)
	}
	for _, s := range []string{"1/0 == 1", "team.all(a, team.all(b, a == b))", "account == account", "type(live) == type(live)", "mithaq.Account{}.name == ''", "post.text.matches(post.text)", "'%s'.format([live]) == ''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		for _, kind := range []Kind{Account, Post} {
			p, fault := Compile(kind, source)
			if (p == nil) == (fault == nil) {
				t.Fatalf("program %v, fault %v", p, fault)
			}
			if fault != nil {
				if fault.Position < 0 || fault.Position > len([]rune(source)) || fault.Text == "" || strings.ContainsAny(fault.Text, "\n\r") {
					t.Errorf("%q: %+v", source, fault)
				}
				continue
			}
			_, err := p.Eval(everything())
			var unknown *Unknown
			if err != nil && !errors.As(err, &unknown) {
				t.Errorf("%q: %v", source, err)
			}
		}
	})
}

func BenchmarkEval(b *testing.B) {
	for _, bc := range []struct{ name, source string }{
		{"Has", "!has(live.location) || live.location == ''"},
		{"Compare", "account.tier == 'school' || live.verified"},
		{"Contains", "live.bio.contains('الرسمي')"},
		{"In", "account.platform in ['X', 'YouTube'] && size(team) >= 2"},
		{"Loop", "team.exists(m, 'Publisher' in m.roles)"},
		{"Time", "now - live.lastPostAt < duration('720h')"},
		{"Fold", "post.text.fold().contains('رقم الهويه')"},
	} {
		p, v := compile(b, Post, bc.source), everything()
		for _, counted := range []bool{false, true} {
			program := *p
			name := bc.name
			if counted {
				program.proven, name = nil, bc.name+"Counted"
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := program.Eval(v); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
