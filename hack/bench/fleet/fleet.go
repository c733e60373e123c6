// Package fleet is what the benchmark governs: accounts of five platforms, spread as a
// ministry's are, with the policies that judge them and what the simulated platforms
// show of them. All of it follows from its size alone, so that two runs of a size are
// about the same fleet.
package fleet

import (
	"fmt"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Namespaces is how many there are: the ministry's own, and its directorates.
const Namespaces = 48

// The tiers, and how many of a platform's 26,519 accounts are of each of the first
// ones. The rest are schools. hack/simulateday has the same proportions.
const (
	tierMinistry    = "ministry"
	tierDirectorate = "directorate"
	tierSchool      = "school"

	ministryOf    = 20
	directorateOf = 500
	wholePlatform = 26_519
)

// NamePrefix begins the names of all accounts.
const NamePrefix = "body-"

// Whole is the number of accounts of the whole ministry.
const Whole = wholePlatform * 5

// Of so many bodies the accounts of one are different, on all platforms.
const (
	violatingEvery = 10  // breaks a rule from the beginning
	hundred        = 100 // one of a hundred: 1 percent
	driftsAt       = 3
	flipsAt        = 7
)

// platforms in the order in which a body's accounts are made.
var platforms = []v1alpha1.PlatformName{
	v1alpha1.PlatformX, v1alpha1.PlatformInstagram, v1alpha1.PlatformSnapchat, v1alpha1.PlatformYouTube, v1alpha1.PlatformFacebook,
}

// Platforms are all platforms.
func Platforms() []v1alpha1.PlatformName { return platforms }

// Fleet is a fleet of N accounts, at least one a platform.
type Fleet struct {
	N int
	// Prefix begins the connections' names' numbers; see ConnectionsOf.
	perConnection int
	// hands: Hands has added what handovers need.
	hands bool
	// weights are the sums of the directorates' shares.
	weights []int
}

// New returns a fleet. A connection to Facebook or Instagram serves at most
// perConnection accounts.
func New(n, perConnection int) (*Fleet, error) {
	if n < len(platforms) || perConnection < 1 {
		return nil, fmt.Errorf("a fleet of %d accounts, %d of a connection, is none", n, perConnection)
	}
	f := &Fleet{N: n, perConnection: perConnection}
	sum := 0
	for rank := range Namespaces - 1 {
		// The largest directorate has about eleven times the schools of the smallest.
		sum += 10_000 / (rank + 4)
		f.weights = append(f.weights, sum)
	}
	return f, nil
}

// Account is one of the fleet.
type Account struct {
	Index     int
	Platform  v1alpha1.PlatformName
	Namespace string
	Name      string
	ID        string
	Handle    string
	// Body numbers the school or office that the account is of: it has one account on
	// each platform, which share their people.
	Body int
	// Connection names the PlatformConnection that serves it.
	Connection string

	tier, unit, title string
}

// At is the account of an index from 0 to N-1.
func (f *Fleet) At(i int) Account {
	body := i / len(platforms)
	a := Account{Index: i, Platform: platforms[i%len(platforms)], Body: body}
	a.Name = fmt.Sprintf(NamePrefix+"%06d-%s", body, lower(a.Platform))
	a.ID, a.Handle = identity(a.Platform, body)
	a.Connection = f.connection(a.Platform, body)
	f.place(&a)
	return a
}

// OfPlatform counts the accounts of a platform.
func (f *Fleet) OfPlatform(p v1alpha1.PlatformName) int {
	n := f.N / len(platforms)
	for i, name := range platforms {
		if name == p && i < f.N%len(platforms) {
			n++
		}
	}
	return n
}

// place sets tier, namespace and unit. Bodies are the ministry's first, then
// directorates, then schools, in the proportions of the whole.
func (f *Fleet) place(a *Account) {
	bodies := (f.N + len(platforms) - 1) / len(platforms)
	ministry := max(1, bodies*ministryOf/wholePlatform)
	directorates := bodies * directorateOf / wholePlatform
	switch {
	case a.Body < ministry:
		a.tier, a.Namespace, a.unit, a.title = tierMinistry, "moe", "moe", "وزارة التعليم"
	case a.Body < ministry+directorates:
		n := a.Body % (Namespaces - 1)
		a.tier, a.Namespace, a.title = tierDirectorate, namespace(n), "إدارة التعليم"
		a.unit = a.Namespace
	default:
		n := f.directorate(a.Body)
		a.tier, a.Namespace, a.title = tierSchool, namespace(n), "مدرسة"
		a.unit = fmt.Sprintf("%s/office-%d/school-%06d", a.Namespace, a.Body%7, a.Body)
	}
}

// directorate spreads schools by their directorates' shares.
func (f *Fleet) directorate(body int) int {
	// A multiplier that is prime to the sum scatters neighbours.
	at := body * 7919 % f.weights[len(f.weights)-1]
	for n, sum := range f.weights {
		if at < sum {
			return n
		}
	}
	return len(f.weights) - 1
}

func namespace(n int) string { return fmt.Sprintf("edu-%02d", n+1) }

// NamespaceNames are all namespaces.
func NamespaceNames() []string {
	names := []string{"moe"}
	for n := range Namespaces - 1 {
		names = append(names, namespace(n))
	}
	return names
}

func lower(p v1alpha1.PlatformName) string {
	switch p {
	case v1alpha1.PlatformX:
		return "x"
	case v1alpha1.PlatformInstagram:
		return "instagram"
	case v1alpha1.PlatformSnapchat:
		return "snapchat"
	case v1alpha1.PlatformYouTube:
		return "youtube"
	case v1alpha1.PlatformFacebook:
		return "facebook"
	}
	return ""
}

// identity is the id and the handle of a body's account.
func identity(p v1alpha1.PlatformName, body int) (id, handle string) {
	handle = fmt.Sprintf("edu_%06d", body)
	switch p {
	case v1alpha1.PlatformX:
		return fmt.Sprint(1_000_000_000 + body), handle
	case v1alpha1.PlatformInstagram:
		return fmt.Sprint(17_841_400_000_000_000 + body), handle
	case v1alpha1.PlatformSnapchat:
		return fmt.Sprintf("76da494b-76bc-4bbb-bb27-%012d", body), handle
	case v1alpha1.PlatformYouTube:
		return fmt.Sprintf("UC%022d", body), handle
	case v1alpha1.PlatformFacebook:
		return fmt.Sprint(100_000_000_000 + body), fmt.Sprintf("edu.%06d", body) // knows no underscore
	}
	return "", ""
}

// Drifts says that the account is of the percent whose profile somebody changes, Flips
// that it is of the percent whose verdict the edit of the policy turns. Neither breaks
// a rule before.
func (a Account) Drifts() bool { return a.Body%hundred == driftsAt }

// Flips is described at Drifts.
func (a Account) Flips() bool { return a.Body%hundred == flipsAt }

// Violating says that the account breaks a rule from the beginning.
func (a Account) Violating() bool { return a.Body%violatingEvery == 0 }
