package world_test

import (
	"bytes"
	"errors"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func TestExampleFleetLoads(t *testing.T) {
	f, err := world.ReadFleet("../fleet.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	if err := w.Load(f); err != nil {
		t.Fatal(err)
	}
	if w.Count(world.X) != 7 || w.Count(world.YouTube) != 2 || w.Count(world.Facebook) != 3 || w.Count(world.Instagram) != 3 {
		t.Errorf("%d and %d accounts", w.Count(world.X), w.Count(world.YouTube))
	}
	if a, _ := w.AccountByHandle(world.X, "edu_hail"); a.DisplayName != "Somebody Else" {
		t.Errorf("the recycled handle belongs to %q", a.DisplayName)
	}
	if a, _ := w.Account(world.X, "2244994945"); a.Followers != 583423 || a.CreatedAt.Year() != 2013 {
		t.Errorf("got %+v", a)
	}
}

func TestFleetErrorsNameTheEntry(t *testing.T) {
	const ok = "- {platform: X, id: \"1\", handle: a}\n"
	for name, c := range map[string]struct{ yaml, want string }{
		"no yaml":          {"accounts: [", "yaml"},
		"unknown section":  {"persons: []", "persons"},
		"duplicate key":    {"accounts:\n- {platform: X, id: \"1\", id: \"2\", handle: a}", "id"},
		"unknown field":    {"accounts:\n" + ok + "- {platform: X, id: \"2\", handle: b, colour: red}", `accounts[1] (X/2 b): json: unknown field "colour"`},
		"unquoted id":      {"accounts:\n- {platform: X, id: 2244994945, handle: a}", "accounts[0]"},
		"unknown platform": {"accounts:\n" + ok + "- {platform: Z, id: \"2\", handle: b}", `accounts[1] (Z/2 b): putting account Z/2: invalid: unknown platform "Z"`},
		"same id twice":    {"accounts:\n" + ok + "- {platform: X, id: \"1\", handle: b}", "accounts[1] (X/1 b)"},
		"same handle":      {"accounts:\n" + ok + "- {platform: X, id: \"2\", handle: A}", `handle "A" belongs to 1`},
		"bad time":         {"accounts:\n- {platform: X, id: \"1\", handle: a, createdAt: yesterday}", "accounts[0]"},
		"app field":        {"apps:\n- {platform: X, apiKey: k, secret: s}", "apps[0] (X/k)"},
		"app credits":      {"apps:\n- {platform: X, apiKey: k, apiSecret: s, creditsUSD: lots}", "apps[0]: putting app X/k"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := world.ParseFleet([]byte(c.yaml))
			if err == nil {
				err = newWorld(t).Load(f)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not contain %q", err, c.want)
			}
		})
	}
	if _, err := world.ReadFleet("testdata/absent.yaml"); err == nil {
		t.Error("absent file accepted")
	}
}

func TestFleetErrorsKeepSecretsOut(t *testing.T) {
	_, err := world.ParseFleet([]byte("apps:\n- {platform: X, apiKey: k, apiSecret: hush, appToken: quiet, x: 1}"))
	if err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "quiet") {
		t.Errorf("error %v", err)
	}
}

func TestImagesAreStablePNGs(t *testing.T) {
	for name, size := range map[string][2]int{
		"emblem": {96, 96}, "emblem-recompressed": {96, 96}, "foreign": {96, 96}, "default": {96, 96},
		"banner": {300, 100}, "banner-foreign": {300, 100}, "emblem:riyadh": {96, 96},
	} {
		data, err := world.Image(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := [2]int{img.Bounds().Dx(), img.Bounds().Dy()}; got != size {
			t.Errorf("%s is %v, want %v", name, got, size)
		}
	}
	for _, name := range []string{"", "cat", "emblem:", "emblem:a/b", "Emblem"} {
		if _, err := world.Image(name); !errors.Is(err, world.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := world.ImageVersion(name); !errors.Is(err, world.ErrInvalid) {
			t.Errorf("version of %q: %v", name, err)
		}
	}
}

// bits is an average hash: which cells of an 8 by 8 raster are brighter than all on average.
func bits(t *testing.T, name string) (hash [64]bool) {
	t.Helper()
	data, err := world.Image(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var cells [64]uint64
	var sum uint64
	for y := range 96 {
		for x := range 96 {
			r, g, b, _ := img.At(x, y).RGBA()
			cells[y/12*8+x/12] += uint64(r + g + b)
			sum += uint64(r + g + b)
		}
	}
	for i, c := range cells {
		hash[i] = c > sum/64
	}
	return hash
}

func TestRecompressedLooksLikeTheEmblemAndForeignDoesNot(t *testing.T) {
	distance := func(a, b string) (n int) {
		x, y := bits(t, a), bits(t, b)
		for i := range x {
			if x[i] != y[i] {
				n++
			}
		}
		return n
	}
	if d := distance("emblem", "emblem-recompressed"); d > 2 {
		t.Errorf("recompressed differs in %d of 64 cells", d)
	}
	for _, other := range []string{"foreign", "default"} {
		if d := distance("emblem", other); d < 16 {
			t.Errorf("%s differs in only %d of 64 cells", other, d)
		}
	}
	versions := map[string]string{}
	for _, name := range []string{"emblem", "emblem-recompressed", "foreign", "emblem:2"} {
		v, err := world.ImageVersion(name)
		if err != nil || versions[v] != "" {
			t.Errorf("version %s of %s is that of %q (%v)", v, name, versions[v], err)
		}
		versions[v] = name
	}
}

func TestFaultsStrikeAsPlanned(t *testing.T) {
	strikes := func(explicit bool, endpoints []string, faults ...world.Fault) (out []world.FaultKind) {
		w := newWorld(t)
		if err := w.SetFaults(world.X, faults...); err != nil {
			t.Fatal(err)
		}
		for _, e := range endpoints {
			f, _ := w.NextFault(world.X, e, explicit)
			out = append(out, f.Kind)
		}
		return out
	}
	a4 := []string{"/a", "/a", "/a", "/a"}
	ab := []string{"/a", "/b"}
	for name, c := range map[string]struct{ got, want []world.FaultKind }{
		"every":        {strikes(false, a4[:2], world.Fault{Kind: "html"}), []world.FaultKind{"html", "html"}},
		"each second":  {strikes(false, a4, world.Fault{Kind: "html", EveryNth: 2}), []world.FaultKind{"", "html", "", "html"}},
		"two":          {strikes(false, a4, world.Fault{Kind: "html", Requests: 2}), []world.FaultKind{"html", "html", "", ""}},
		"one endpoint": {strikes(false, ab, world.Fault{Kind: "html", Endpoint: "/b"}), []world.FaultKind{"", "html"}},
		"then another": {strikes(false, a4[:2], world.Fault{Kind: "html", Requests: 1}, world.Fault{Kind: "slow"}), []world.FaultKind{"html", "slow"}},
		"not named":    {strikes(true, ab, world.Fault{Kind: "html"}), []world.FaultKind{"", ""}},
		"named":        {strikes(true, ab, world.Fault{Kind: "html", Endpoint: "/a"}), []world.FaultKind{"html", ""}},
		"none":         {strikes(false, ab), []world.FaultKind{"", ""}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSetFaultsRefusesBadValues(t *testing.T) {
	w := newWorld(t)
	w.ServeEndpoints(world.X, "/a")
	good := world.Fault{Kind: world.FaultHTML, Endpoint: "/a"}
	if err := w.SetFaults(world.X, good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []world.Fault{
		{}, {Kind: "explode"}, {Kind: "status", Status: 99}, {Kind: "slow", DelaySeconds: -1},
		{Kind: "html", EveryNth: -1}, {Kind: "html", Requests: -1}, {Kind: "html", Endpoint: "/z"},
	} {
		if err := w.SetFaults(world.X, good, bad); !errors.Is(err, world.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if got := w.Faults(world.X); len(got) != 1 || got[0].Fault != good {
		t.Errorf("faults after refusals: %+v", got)
	}
	w.NextFault(world.X, "/a", false)
	if got := w.Faults(world.X)[0]; got.Struck != 1 || got.Matched != 1 {
		t.Errorf("counts %+v", got)
	}
	if err := w.SetFaults(world.X); err != nil || len(w.Faults(world.X)) != 0 {
		t.Errorf("not ended: %v", err)
	}
}
