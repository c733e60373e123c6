package x_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
)

func discardBody(resp *http.Response) (int64, error) {
	defer resp.Body.Close()
	return io.Copy(io.Discard, resp.Body)
}

func (s sim) fault(t *testing.T, f world.Fault) {
	t.Helper()
	if err := s.world.SetFaults(world.X, f); err != nil {
		t.Fatal(err)
	}
}

func TestStatusFaultsHaveTheBodiesOfX(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	for status, want := range map[int]string{
		401: unauthorized,
		402: `{"account_id":1,"title":"CreditsDepleted","detail":"Your enrolled account [1] does not have any credits to fulfill this request.","type":"https://api.twitter.com/2/problems/credits"}`,
		403: `{"title":"Forbidden","type":"about:blank","status":403,"detail":"Forbidden"}`,
		429: throttled,
		503: `{"title":"Service Unavailable","type":"about:blank","status":503,"detail":"Service Unavailable"}`,
	} {
		s.fault(t, world.Fault{Kind: world.FaultStatus, Status: status})
		s.get(t, "/2/users?ids=1").want(t, status, want)
	}
	if cost := s.world.Ledger().Cost(world.X); cost != 0 {
		t.Errorf("failed calls cost %d", cost)
	}
}

func TestThrottleFaultsDifferInTheReset(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	s.fault(t, world.Fault{Kind: world.FaultThrottle, DelaySeconds: 90})
	r := s.get(t, "/2/users?ids=1")
	r.want(t, 429, throttled)
	r.wantQuota(t, 300, 0, start.Add(90*time.Second))
	s.fault(t, world.Fault{Kind: world.FaultThrottleNoReset})
	r = s.get(t, "/2/users?ids=1")
	r.want(t, 429, throttled)
	for name := range r.header {
		if strings.HasPrefix(strings.ToLower(name), "x-rate-limit") {
			t.Errorf("header %s", name)
		}
	}
}

// answered lists the ids in data.
func (r reply) answered() (ids []string) {
	users, _ := r.body["data"].([]any)
	for _, u := range users {
		ids = append(ids, u.(map[string]any)["id"].(string))
	}
	return ids
}

func TestForeignAnswersAreAboutNobodyAskedFor(t *testing.T) {
	s := newSim(t, x.Options{}, account("1", "a", world.Active), account("2", "b", world.Active))
	asked := func(id string) bool { return id == "1" || id == "2" }
	s.fault(t, world.Fault{Kind: world.FaultShuffleForeign})
	ids := s.get(t, "/2/users?ids=1,2").answered()
	if len(ids) != 2 || asked(ids[0]) || asked(ids[1]) {
		t.Errorf("shuffleForeign answered %v", ids)
	}
	s.fault(t, world.Fault{Kind: world.FaultExtraForeign})
	ids = s.get(t, "/2/users?ids=1,2").answered()
	if len(ids) != 3 || !asked(ids[0]) || !asked(ids[1]) || asked(ids[2]) {
		t.Errorf("extraForeign answered %v", ids)
	}
	if cost := s.world.Ledger().Cost(world.X); cost != 20_000 {
		t.Errorf("cost %d; only users asked for are paid", cost)
	}
}

func TestLiesAboutEveryAccount(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	s.fault(t, world.Fault{Kind: world.FaultAllNotFound})
	s.get(t, "/2/users?ids=1").want(t, 200, `{"errors":[`+missing("ids", "1")+"}]}")
	s.get(t, "/2/users/2").want(t, 200, `{"errors":[`+missing("id", "2")+"}]}")
	s.fault(t, world.Fault{Kind: world.FaultAllSuspended})
	s.get(t, "/2/users/1").want(t, 200, `{"errors":[`+problem("id", "1", "Forbidden", "User has been suspended: [1].")+"}]}")
	if cost := s.world.Ledger().Cost(world.X); cost != 0 {
		t.Errorf("cost %d", cost)
	}
}

func TestFaultsForOneEndpointSpareTheOthers(t *testing.T) {
	s := newSim(t, x.Options{}, some()...)
	s.fault(t, world.Fault{Kind: world.FaultStatus, Endpoint: x.EndpointByUsername})
	for path, want := range map[string]int{"/2/users/by/username/a": 503, "/2/users/1": 200} {
		if r := s.get(t, path); r.status != want {
			t.Errorf("%s: %d, want %d", path, r.status, want)
		}
	}
	s.fault(t, world.Fault{Kind: world.FaultStatus, Endpoint: x.EndpointToken})
	if r := s.token(t, "k+y", "s%25%3A", "grant_type=client_credentials"); r.status != 503 {
		t.Errorf("token: %d", r.status)
	}
}

func TestMisspeltEndpointIsRefused(t *testing.T) {
	s := newSim(t, x.Options{})
	if err := s.world.SetFaults(world.X, world.Fault{Kind: world.FaultHTML, Endpoint: "/2/user"}); err == nil {
		t.Error("accepted")
	}
}

func (s sim) member(t *testing.T, member string) string {
	t.Helper()
	user, _ := s.get(t, "/2/users/2244994945?user.fields="+member).body["data"].(map[string]any)
	value, _ := user[member].(string)
	return value
}

// wantPicture checks that a URL serves a picture of the world.
func (s sim) wantPicture(t *testing.T, address, image string) {
	t.Helper()
	r := s.getAs(t, strings.TrimPrefix(address, s.url), "")
	want, err := world.Image(image)
	if err != nil || r.status != 200 || r.header.Get("Content-Type") != "image/png" || !bytes.Equal([]byte(r.raw), want) {
		t.Errorf("%s: %d %s, not %s (%v)", address, r.status, r.header.Get("Content-Type"), image, err)
	}
}

func TestPicturesAreServedAndTheirURLsFollowThem(t *testing.T) {
	s := newSim(t, x.Options{}, developers())
	image, banner := s.member(t, "profile_image_url"), s.member(t, "profile_banner_url")
	s.wantPicture(t, image, "emblem")
	s.wantPicture(t, banner, "banner")
	if again := s.member(t, "profile_image_url"); again != image {
		t.Errorf("changed from %s to %s by itself", image, again)
	}
	_, err := s.world.Update(world.X, "2244994945", func(a *world.Account) error {
		a.Image, a.Banner = "foreign", "banner-foreign"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	newImage, newBanner := s.member(t, "profile_image_url"), s.member(t, "profile_banner_url")
	if newImage == image || newBanner == banner {
		t.Errorf("still %s and %s", newImage, newBanner)
	}
	s.wantPicture(t, newImage, "foreign")
	s.wantPicture(t, newBanner, "banner-foreign")
}

func TestPicturesThatAreNotThere(t *testing.T) {
	s := newSim(t, x.Options{}, developers(), account("1", "a", world.Active))
	version, err := world.ImageVersion("emblem")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/profile_images/1/emblem_normal.png", "/profile_images/" + version + "/foreign_normal.png",
		"/profile_images/" + version + "/emblem.png", "/profile_images/" + version + "/cat_normal.png",
		"/profile_banners/1/" + version, "/profile_banners/9/" + version, "/profile_banners/2244994945/" + version,
	} {
		if r := s.getAs(t, path, ""); r.status != 404 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

func TestBaseURLCanBeSet(t *testing.T) {
	s := newSim(t, x.Options{BaseURL: "http://images.test/"}, developers())
	if got := s.member(t, "profile_image_url"); !strings.HasPrefix(got, "http://images.test/profile_images/") {
		t.Errorf("got %s", got)
	}
}

func TestDefacementAndRecyclingAreSeen(t *testing.T) {
	s := newSim(t, x.Options{}, developers())
	if _, err := s.world.Recycle(world.X, "XDevelopers", "77"); err != nil {
		t.Fatal(err)
	}
	s.get(t, "/2/users/2244994945").want(t, 200, `{"errors":[`+missing("id", "2244994945")+"}]}")
	s.get(t, "/2/users/by/username/xdevelopers?user.fields=created_at").
		want(t, 200, fmt.Sprintf(`{"data":{"id":"77","name":"Somebody Else","username":"XDevelopers","created_at":%q}}`, "2026-11-23T12:00:00.000Z"))
}
