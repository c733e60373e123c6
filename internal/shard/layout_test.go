package shard

import (
	"math"
	"regexp"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/sharding"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// served is how the API server reads a selector.
func served(t *testing.T, selector string) sharding.Selector {
	t.Helper()
	m := regexp.MustCompile(`^shardRange\((object\.metadata\.uid), '(0x[0-9a-f]{16,17})', '(0x[0-9a-f]{16,17})'\)$`).FindStringSubmatch(selector)
	if m == nil {
		t.Fatalf("the API server would refuse %q", selector)
	}
	return sharding.NewSelector(sharding.ShardRangeRequirement{Key: m[1], Start: m[2], End: m[3]})
}

func TestTheAPIServerDividesAsWeDo(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 7, 16, 63, Max} {
		l, err := NewLayout(n)
		if err != nil {
			t.Fatal(err)
		}
		for range 500 {
			uid := uuid.NewUUID()
			for i := range n {
				got, err := served(t, l.Selector(i)).Matches(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: uid}})
				if err != nil {
					t.Fatal(err)
				}
				if want := l.Of(uid) == i; got != want {
					t.Errorf("of %d shards, %s is of shard %d; the server asked for shard %d says %v", n, uid, l.Of(uid), i, got)
				}
			}
		}
	}
}

// Ranges touch: no hash is between two shards or in both.
func TestTheRangesCoverEveryHashOnce(t *testing.T) {
	for n := 1; n <= Max; n++ {
		l := Layout{n}
		if l.bound(0) != "0x0000000000000000" || l.bound(n) != "0x10000000000000000" {
			t.Errorf("%d shards cover %s to %s", n, l.bound(0), l.bound(n))
		}
		for i := range n {
			if !sharding.HexLess(l.bound(i), l.bound(i+1)) {
				t.Errorf("of %d shards, %d ends before it begins", n, i)
			}
		}
	}
}

func TestShardsAreOfOneSize(t *testing.T) {
	const accounts, n = 30_000, 3
	l, counts := Layout{n}, make([]int, n)
	for range accounts {
		counts[l.Of(uuid.NewUUID())]++
	}
	for i, got := range counts {
		if math.Abs(float64(got)-accounts/n) > accounts/n/10 {
			t.Errorf("shard %d has %d of %d accounts: %v", i, got, accounts, counts)
		}
	}
}

func TestHowManyShardsThereCanBe(t *testing.T) {
	for n, ok := range map[int]bool{-1: false, 0: false, 1: true, Max: true, Max + 1: false} {
		if _, err := NewLayout(n); (err == nil) != ok {
			t.Errorf("%d shards: got error %v", n, err)
		}
	}
}
