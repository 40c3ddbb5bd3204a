package triage

import "math"

// curve turns a score into a probability: 1 / (1 + exp(-(slope*score + shift))).
type curve struct{ slope, shift float64 }

// p is strictly between 0 and 1.
func (c curve) p(score float64) float64 {
	p := 1 / (1 + math.Exp(-(float64(c.slope*score) + c.shift)))
	return min(max(p, 1e-6), 1-1e-6)
}

// fitCurve fits the curve to scores and what was said, by Newton's method on the
// logarithm of the likelihood, with Platt's targets that are never quite sure
// (Platt 1999; Lin, Lin & Weng, "A note on Platt's probabilistic outputs for support
// vector machines", 2007). The slope is never negative: what scores higher is never
// less likely.
func fitCurve(scores []float64, examples []Example, weights []float64) curve {
	var sum [2]float64
	for i := range examples {
		sum[kind(examples[i].Bad)] += weights[i]
	}
	target := [2]float64{1 / (sum[0] + 2), (sum[1] + 1) / (sum[1] + 2)}
	// What the score says of the shift alone is where it starts.
	c := curve{slope: 1, shift: 0}
	loss := func(c curve) (l float64) {
		for i, s := range scores {
			t := target[kind(examples[i].Bad)]
			x := float64(c.slope*s) + c.shift
			// log(1+exp(x)) - t*x, without overflow.
			l += weights[i] * (math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) - float64(t*x))
		}
		return l
	}
	now := loss(c)
	for range 100 {
		var g1, g2 float64
		h11, h12, h22 := 1e-12, 0.0, 1e-12
		for i, s := range scores {
			p := 1 / (1 + math.Exp(-(float64(c.slope*s) + c.shift)))
			d, w := weights[i]*(p-target[kind(examples[i].Bad)]), weights[i]*p*(1-p)
			g1, g2 = g1+float64(d*s), g2+d
			h11, h12, h22 = h11+float64(w*s*s), h12+float64(w*s), h22+w
		}
		if math.Abs(g1) < 1e-6 && math.Abs(g2) < 1e-6 {
			break
		}
		det := float64(h11*h22) - float64(h12*h12)
		if det <= 1e-12 {
			break
		}
		d1, d2 := (float64(h22*g1)-float64(h12*g2))/det, (float64(h11*g2)-float64(h12*g1))/det
		step := 1.0
		for ; step > 1e-10; step /= 2 {
			next := curve{c.slope - float64(step*d1), c.shift - float64(step*d2)}
			if l := loss(next); l < now {
				c, now = next, l
				break
			}
		}
		if step <= 1e-10 {
			break
		}
	}
	if !(c.slope > 0) || !finite(c.slope) || !finite(c.shift) {
		// The scores tell nothing: everything is as likely as it is on the whole.
		return curve{0, math.Log((sum[1] + 1) / (sum[0] + 1))}
	}
	return c
}
