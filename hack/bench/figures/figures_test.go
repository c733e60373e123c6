package figures

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * time.Second
	}
	for name, c := range map[string]struct {
		samples []time.Duration
		p       float64
		want    time.Duration
		err     error
	}{
		"the middle of a hundred":     {hundred, 0.5, 50 * time.Second, nil},
		"all but the slowest":         {hundred, 0.99, 99 * time.Second, nil},
		"the slowest":                 {hundred, 1, 100 * time.Second, nil},
		"of few the slowest is p99":   {[]time.Duration{3, 1, 2}, 0.99, 3, nil},
		"one sample is every rank":    {[]time.Duration{7}, 0.01, 7, nil},
		"no sample is no zero":        {nil, 0.5, 0, ErrNothingMeasured},
		"zero is no percentile":       {hundred, 0, 0, ErrInvalid},
		"99 is not meant as a share":  {hundred, 99, 0, ErrInvalid},
		"not a number is not a share": {hundred, math.NaN(), 0, ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(c.samples)
			got, err := Percentile(c.samples, c.p)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %v, %v; want %v, %v", got, err, c.want, c.err)
			}
			if !slices.Equal(before, c.samples) {
				t.Error("the samples were reordered")
			}
		})
	}
}

func TestMinimumRequests(t *testing.T) {
	for name, c := range map[string]struct {
		accounts, batch, sweeps, want int
		err                           error
	}{
		"full batches":              {10_000, 100, 1, 100, nil},
		"one more needs a request":  {10_001, 100, 1, 101, nil},
		"each sweep rounds alone":   {150, 100, 3, 6, nil},
		"nobody needs none":         {0, 100, 3, 0, nil},
		"no batch of nobody":        {10, 0, 1, 0, ErrInvalid},
		"no fleet of less than one": {-1, 100, 1, 0, ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := MinimumRequests(c.accounts, c.batch, c.sweeps)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %d, %v; want %d, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestRatesNeedAMeasurement(t *testing.T) {
	if got, err := PerSecond(660, 2*time.Second); got != 330 || err != nil {
		t.Errorf("got %v, %v; want 330", got, err)
	}
	if got, err := MicrosPerAccount(3*time.Second, 1000, 3); got != 1000 || err != nil {
		t.Errorf("got %v, %v; want 1000", got, err)
	}
	if _, err := PerSecond(1, 0); !errors.Is(err, ErrNothingMeasured) {
		t.Errorf("no time: got %v", err)
	}
	if _, err := MicrosPerAccount(time.Second, 0, 1); !errors.Is(err, ErrNothingMeasured) {
		t.Errorf("no account: got %v", err)
	}
}

func TestGrowth(t *testing.T) {
	of := func(k float64) []Point {
		var points []Point
		for _, n := range []int{1000, 10_000, 50_000, 132_595} {
			points = append(points, Point{n, 5 * math.Pow(float64(n), k)})
		}
		return points
	}
	for _, k := range []float64{0, 1, 1.5, 2} {
		if got, err := Growth(of(k)); err != nil || math.Abs(got-k) > 1e-9 {
			t.Errorf("got %v, %v; want %v", got, err, k)
		}
	}
	if _, err := Growth(nil); !errors.Is(err, ErrNothingMeasured) {
		t.Errorf("no point: got %v", err)
	}
	if _, err := Growth([]Point{{132_595, 1}, {132_595, 2}, {132_595, 3}}); !errors.Is(err, ErrNothingMeasured) {
		t.Errorf("one size: got %v", err)
	}
	if _, err := Growth([]Point{{1000, 0}, {2000, 1}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("no cost: got %v", err)
	}
}
