//go:build !race

package elementary_test

import (
	"math"
	"testing"

	"vigil/models/elementary"
)

// The functions against package math's.
func BenchmarkLog(b *testing.B) {
	for name, f := range map[string]func(float64) float64{"fast": elementary.Log, "math": math.Log} {
		b.Run(name, func(b *testing.B) {
			x, sum := 0.37, 0.0
			for b.Loop() {
				sum += f(x)
				x += 0.01
			}
			_ = sum
		})
	}
}

func BenchmarkExp(b *testing.B) {
	for name, f := range map[string]func(float64) float64{"fast": elementary.Exp, "math": math.Exp} {
		b.Run(name, func(b *testing.B) {
			x, sum := 0.37, 0.0
			for b.Loop() {
				sum += f(-x)
				x += 1e-6
			}
			_ = sum
		})
	}
}
