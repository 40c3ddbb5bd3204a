package console

import (
	"math"

	"vigil"
)

// finite returns the finding with every number that JSON can't hold replaced: the
// infinite by the largest, what is no number by zero.
func finite(f vigil.Finding) vigil.Finding {
	f.Evidence, f.Threshold, f.Harm = number(f.Evidence), number(f.Threshold), number(f.Harm)
	terms := make([]vigil.Contribution, len(f.Contributions))
	copy(terms, f.Contributions)
	for i := range terms {
		k := &terms[i]
		for _, p := range []*float64{&k.Seen, &k.Expected, &k.Low, &k.High, &k.P, &k.E, &k.Share} {
			*p = number(*p)
		}
	}
	f.Contributions = terms
	return f
}

func number(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return 0
	case math.IsInf(x, 1):
		return math.MaxFloat64
	case math.IsInf(x, -1):
		return -math.MaxFloat64
	}
	return x
}
