// Package figures is the arithmetic of the benchmark: what its tables say is
// computed here and nowhere else. A figure for which nothing was measured is an
// error, never a zero: a zero would read as a very good result.
package figures

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrNothingMeasured says that there is no sample to compute a figure from.
var ErrNothingMeasured = errors.New("nothing was measured")

// ErrInvalid says that an argument is outside of its bounds.
var ErrInvalid = errors.New("invalid argument")

// Percentile is the smallest sample that at least the share p of all samples do
// not exceed (nearest rank), so that it is always a duration that was seen. p is
// above 0 and at most 1. It leaves samples as they are.
func Percentile(samples []time.Duration, p float64) (time.Duration, error) {
	// Written so that NaN is refused as well.
	if !(p > 0 && p <= 1) {
		return 0, fmt.Errorf("%w: percentile %v", ErrInvalid, p)
	}
	if len(samples) == 0 {
		return 0, ErrNothingMeasured
	}
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[int(math.Ceil(p*float64(len(sorted))))-1], nil
}

// MinimumRequests is the fewest requests in which a platform that answers for
// batch accounts at a time, at least 1, can be asked for accounts, once a sweep.
func MinimumRequests(accounts, batch, sweeps int) (int, error) {
	if batch < 1 || accounts < 0 || sweeps < 0 {
		return 0, fmt.Errorf("%w: %d accounts, %d in a request, %d sweeps", ErrInvalid, accounts, batch, sweeps)
	}
	requests := accounts / batch
	if accounts%batch > 0 {
		requests++
	}
	return requests * sweeps, nil
}

// PerSecond is the rate of count things in elapsed.
func PerSecond(count int, elapsed time.Duration) (float64, error) {
	if elapsed <= 0 {
		return 0, ErrNothingMeasured
	}
	return float64(count) / elapsed.Seconds(), nil
}

// MicrosPerAccount divides processor time, in microseconds, among accounts and
// sweeps.
func MicrosPerAccount(cpu time.Duration, accounts, sweeps int) (float64, error) {
	if accounts < 1 || sweeps < 1 {
		return 0, ErrNothingMeasured
	}
	return float64(cpu) / float64(time.Microsecond) / float64(accounts) / float64(sweeps), nil
}

// Point is what a fleet of a size cost.
type Point struct {
	Accounts int
	Cost     float64
}

// Growth is the exponent k with which cost grows as accounts^k, by least squares
// over the logarithms: 1 is linear. It needs two sizes, and costs above 0.
func Growth(points []Point) (float64, error) {
	var n, sx, sy, sxx, sxy float64
	for _, p := range points {
		if p.Accounts < 1 || !(p.Cost > 0) {
			return 0, fmt.Errorf("%w: %d accounts at a cost of %v", ErrInvalid, p.Accounts, p.Cost)
		}
		x, y := math.Log(float64(p.Accounts)), math.Log(p.Cost)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if !slices.ContainsFunc(points, func(p Point) bool { return p.Accounts != points[0].Accounts }) {
		return 0, ErrNothingMeasured
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx), nil
}
