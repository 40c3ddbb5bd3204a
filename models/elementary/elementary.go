// Package elementary computes logarithms and exponentials a few times faster
// than package math, to the precision that the models need, which ask for several
// of each for every term of every span.
//
// Both reduce their argument by a table and finish with a short polynomial (Tang,
// "Table-driven implementation of the logarithm function in IEEE floating-point
// arithmetic", 1990). The functions are pure, and round alike on every machine but
// for what package math itself rounds otherwise when the tables are made.
package elementary

import "math"

const (
	logBits  = 7
	logSlots = 1 << logBits
	expBits  = 7
	expSlots = 1 << expBits
)

// slot is one part of the interval from 1 to 2: its middle, the middle's
// reciprocal and its logarithm.
type slot struct{ middle, inverse, log float64 }

var logTable = func() (t [logSlots]slot) {
	for i := range t {
		m := 1 + (float64(i)+0.5)/logSlots
		t[i] = slot{m, 1 / m, math.Log(m)}
	}
	return t
}()

// expTable holds the powers of two between 1 and 2.
var expTable = func() (t [expSlots]float64) {
	for i := range t {
		t[i] = math.Exp2(float64(i) / expSlots)
	}
	return t
}()

// Log is the natural logarithm, with an absolute error below 1e-12 (and a relative
// one of a few roundings where the logarithm is large). What is not a normal
// positive number is left to math.Log.
func Log(x float64) float64 {
	bits := math.Float64bits(x)
	if bits-1<<52 >= 0x7fe<<52 {
		return math.Log(x)
	}
	s := &logTable[bits>>(52-logBits)&(logSlots-1)]
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	r := (m - s.middle) * s.inverse
	// log(1+r) for r within 1/256, to r^5/5 < 2e-13.
	p := r * (1 - float64(r*(0.5-float64(r*(1.0/3-float64(r*0.25))))))
	return float64(float64(int(bits>>52)-1023)*math.Ln2) + s.log + p
}

// Log10 is the decimal logarithm, with Log's error.
func Log10(x float64) float64 { return Log(x) * math.Log10E }

// Exp is the exponential, with a relative error below 1e-13 (of x's own size
// beyond a hundred). What would leave the normal numbers is left to math.Exp.
func Exp(x float64) float64 {
	if !(x > -700 && x < 700) {
		return math.Exp(x)
	}
	const step = math.Ln2 / expSlots
	k := math.Floor(x*(expSlots/math.Ln2) + 0.5)
	n := int(k)
	r := x - float64(k*step)
	p := 1 + float64(r*(1+float64(r*(0.5+float64(r*(1.0/6+float64(r*(1.0/24))))))))
	scale := math.Float64frombits(uint64(n>>expBits+1023) << 52)
	return p * expTable[n&(expSlots-1)] * scale
}

// Pow10 is ten to the power of x, with Exp's error.
func Pow10(x float64) float64 { return Exp(x * math.Ln10) }
