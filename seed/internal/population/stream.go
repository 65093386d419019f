package population

import (
	"math/bits"
	"math/rand/v2"
)

// A stream is a source of repeatable choices. Every purpose of every patient has a stream of its
// own, so that patients can be made in any number and order, and a new choice for one purpose
// moves no other.
//
// All arithmetic is on integers: it gives the same values on every processor.
type stream struct {
	pcg rand.PCG
}

// newStream returns the stream for a purpose of the n-th patient (or other thing) of a seed.
func newStream(seed uint64, purpose string, n int) *stream {
	const fnvOffset, fnvPrime = 14695981039346656037, 1099511628211
	h := uint64(fnvOffset)
	for i := 0; i < len(purpose); i++ {
		h = (h ^ uint64(purpose[i])) * fnvPrime
	}
	s := &stream{}
	s.pcg.Seed(mix(seed)^h, mix(h+uint64(n)))
	return s
}

// mix is the finalizer of SplitMix64: neighbouring seeds become unrelated ones.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64, Int63 and Seed make a stream the source of a library's choices (math/rand.Source64).
func (s *stream) Uint64() uint64 { return s.pcg.Uint64() }

// Int63 returns a number that is not negative.
func (s *stream) Int63() int64 { return int64(s.pcg.Uint64() >> 1) }

// Seed does nothing: a stream's place is that of its patient.
func (s *stream) Seed(int64) {}

// below returns a number of [0, n); n is positive.
func (s *stream) below(n int) int {
	hi, _ := bits.Mul64(s.pcg.Uint64(), uint64(n))
	return int(hi)
}

// between returns a number of [lo, hi].
func (s *stream) between(lo, hi int) int { return lo + s.below(hi-lo+1) }

// chance is true in so many of a thousand cases.
func (s *stream) chance(permille int) bool { return s.below(1000) < permille }

// around returns a bell-shaped value: the sum of four uniform parts, at most 3.4 deviations away.
func (s *stream) around(mean, deviation int) int {
	const middle, sigma = 4 * 0xffff / 2, 37837 // of the sum of four values of [0, 2^16)
	u, sum := s.pcg.Uint64(), 0
	for range 4 {
		sum += int(u & 0xffff)
		u >>= 16
	}
	return mean + roundDiv(deviation*(sum-middle), sigma)
}

// early returns an index of [0, n) that is more often small than large, as names are ranked.
func (s *stream) early(n int) int { return min(s.below(n), s.below(n)) }

// weighted returns an index, each as often as its weight says.
func (s *stream) weighted(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	at := s.below(total)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}

// pick returns one of the list, each equally often.
func pick[T any](s *stream, list []T) T { return list[s.below(len(list))] }

// roundDiv divides and rounds half away from zero; b is positive.
func roundDiv(a, b int) int {
	if a < 0 {
		return -((-a + b/2) / b)
	}
	return (a + b/2) / b
}

// clamp brings v into [lo, hi].
func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }
