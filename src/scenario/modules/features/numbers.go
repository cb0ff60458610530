package feature

import (
	"math"
	"math/big"
	"math/rand/v2"
)

// Factorial computes n! exactly.
func Factorial(n int64) *big.Int { return new(big.Int).MulRange(1, n) }

// Mean and deviation of a sample.
func Mean(values []float64) (mean, deviation float64) {
	for _, value := range values {
		mean += value / float64(len(values))
	}
	for _, value := range values {
		deviation += (value - mean) * (value - mean) / float64(len(values))
	}
	return mean, math.Sqrt(deviation)
}

// Sample draws numbers that are the same for the same seed.
func Sample(seed uint64, count int) []float64 {
	source := rand.New(rand.NewPCG(seed, seed))
	values := make([]float64, count)
	for i := range values {
		values[i] = source.NormFloat64()
	}
	return values
}
