package affinity

import (
	"math"
	"math/bits"
)

// powers has the powers of a base between 0 and 1 by digits of the exponent, so
// that a weight decays in three products, alike on every machine.
type powers struct {
	table [3][256]float64
}

func newPowers(base float64) *powers {
	p := &powers{}
	for level := range p.table {
		x := 1.0
		for i := range p.table[level] {
			p.table[level][i] = x
			x *= base
		}
		base = x
	}
	return p
}

// forgotten is after how many ticks nothing is left: thirty years of minutes.
const forgotten = 1 << 24

// of is the base to the power of n.
func (p *powers) of(n uint64) float64 {
	if n < 256 {
		return p.table[0][n]
	}
	if n >= forgotten {
		return 0
	}
	return p.table[2][n>>16] * (p.table[1][n>>8&255] * p.table[0][n&255])
}

// The table of logarithms: of the middle of each of 128 parts of an octave, and
// its reciprocal.
const (
	lnBits  = 7
	lnParts = 1 << lnBits
	lnShift = 52 - lnBits
)

type lnPart struct{ ln, inverse float64 }

// lnTable is not changed after it is made.
var lnTable = func() (t [lnParts]lnPart) {
	for i := range t {
		middle := 1 + (float64(i)+.5)/lnParts
		t[i] = lnPart{lnSeries(middle), 1 / middle}
	}
	return t
}()

// lnSeries is ln by the series of the inverse hyperbolic tangent, for numbers from
// 1 to 2. The library's may be assembly, which differs in the last bit.
func lnSeries(x float64) float64 {
	y := (x - 1) / (x + 1)
	square, power, sum := float64(y*y), y, 0.0
	for k := 1.0; k < 60; k += 2 {
		sum += power / k
		power *= square
	}
	return 2 * sum
}

// halving is what is left after one tick of a half-life of n ticks: 2^(-1/n) by
// the series of the exponential function.
func halving(n int64) float64 {
	x := -math.Ln2 / float64(n)
	sum, term := 1.0, 1.0
	for k := 1.0; k < 30; k++ {
		term *= x / k
		sum += term
	}
	return sum
}

// ln is the natural logarithm of a positive, normal number, to about 1e-10: four
// times as fast as the library's, and free of machine-dependent assembly.
func ln(x float64) float64 {
	b := math.Float64bits(x)
	p := &lnTable[b>>lnShift%lnParts]
	r := float64(math.Float64frombits(b&(1<<52-1)|1023<<52)*p.inverse) - 1
	// Written so that it's just short enough to be inlined.
	return float64(float64(int(b>>52)-1023)*math.Ln2) + (p.ln + float64(r*(1-float64(r*(.5-float64(r*(1./3)))))))
}

// exp is the exponential function of a number that is not negative, by its series
// for what is left of it after whole powers of two.
func exp(x float64) float64 {
	if x > 700 {
		return math.Inf(1)
	}
	k := math.Floor(x / math.Ln2)
	x -= float64(k * math.Ln2)
	sum, term := 1.0, 1.0
	for i := 1.0; i < 16; i++ {
		term *= x / i
		sum += term
	}
	return math.Ldexp(sum, int(k))
}

// mix is a bijection of 64 bits that leaves no pattern (Stafford's variant 13 of
// the finaliser of MurmurHash3, as in Steele, Lea and Flood's SplitMix, 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// edgeKey names the edge from a to b: another one than from b to a.
func edgeKey(a, b uint64) uint64 {
	return mix(a^0x9e3779b97f4a7c15) ^ bits.RotateLeft64(mix(b^0xd1b54a32d192ed03), 23)
}

// nodeKey keeps a source apart from edges that share its table.
func nodeKey(a uint64) uint64 { return mix(a ^ 0x8cb92ba72f3d8dd7) }
