package forest

import "math"

// block is how many vectors go through one tree before the next: together with
// that tree they fit the first-level cache.
const block = 64

// lanes is how many vectors walk side by side; it divides block.
const lanes = 4

// Scorer holds one goroutine's working memory. The zero Scorer is ready for use.
type Scorer struct {
	rows [block * MaxWidth]uint32
	sums [block]float64
	// Refused counts values that were no numbers and were read as zero.
	Refused int64
}

// Unknown is the score of everything while there is no forest: neither usual nor
// unusual.
const Unknown = 0.5

// Score writes the score of each vector to out: between 0 and 1, higher where a
// vector stands more alone, about .5 where it stands as most do. flat holds
// len(out) vectors of f's width one after the other; values are cleaned as by
// Reservoir.Add. A nil or damaged forest, or a flat of another length, gives
// Unknown throughout.
func (s *Scorer) Score(f *Forest, flat []float32, out []float64) {
	if f.Check() != nil || len(flat) != f.Width*len(out) {
		for i := range out {
			out[i] = Unknown
		}
		return
	}
	scale := -1 / (Trees * average(f.Drawn))
	for len(out) > 0 {
		n := min(len(out), block)
		s.load(flat[:n*f.Width], f.Width)
		clear(s.sums[:])
		switch {
		case n < lanes:
			for i := range n {
				s.sums[i] = s.alone(f, i)
			}
		default:
			for t := range Trees {
				s.walk((*[nodes]uint64)(f.Nodes[t*nodes:]), (*[nodes]float32)(f.Paths[t*nodes:]), n)
			}
		}
		for i, sum := range s.sums[:n] {
			out[i] = math.Exp2(sum * scale)
		}
		flat, out = flat[n*f.Width:], out[n:]
	}
}

// load cleans vectors and lays them out MaxWidth apart, as the bits of their
// values: for numbers that are not negative, bits compare as the numbers do.
func (s *Scorer) load(flat []float32, width int) {
	for i := 0; len(flat) > 0; i++ {
		row := s.rows[i*MaxWidth : (i+1)*MaxWidth]
		for k, v := range flat[:width] {
			if v != v {
				s.Refused++
			}
			row[k] = math.Float32bits(clean(v))
		}
		flat = flat[width:]
	}
}

// walk sends n vectors through one tree and adds up the lengths of their paths,
// four at a time: every path has the same number of steps and no branch, so the
// processor need not wait for one walk's memory before it goes on with the next.
// Up to three rows of an earlier block may be walked for nothing.
func (s *Scorer) walk(tree *[nodes]uint64, paths *[nodes]float32, n int) {
	for i := 0; i < n; i += lanes {
		rows := (*[lanes * MaxWidth]uint32)(s.rows[i%block*MaxWidth:])
		a, b, c, d := uint32(1), uint32(1), uint32(1), uint32(1)
		for range depth {
			a = step(tree, rows, a, 0)
			b = step(tree, rows, b, MaxWidth)
			c = step(tree, rows, c, 2*MaxWidth)
			d = step(tree, rows, d, 3*MaxWidth)
		}
		sums := (*[lanes]float64)(s.sums[i%block:])
		sums[0] += float64(paths[a%nodes])
		sums[1] += float64(paths[b%nodes])
		sums[2] += float64(paths[c%nodes])
		sums[3] += float64(paths[d%nodes])
	}
}

// alone sends one vector through all trees, four trees at a time, and adds up in
// the same order as walk.
func (s *Scorer) alone(f *Forest, i int) (sum float64) {
	rows := (*[lanes * MaxWidth]uint32)(s.rows[i%(block-lanes)*MaxWidth:])
	for t := 0; t < Trees; t += lanes {
		trees := f.Nodes[t*nodes : (t+lanes)*nodes]
		paths := f.Paths[t*nodes : (t+lanes)*nodes]
		ta, tb := (*[nodes]uint64)(trees), (*[nodes]uint64)(trees[nodes:])
		tc, td := (*[nodes]uint64)(trees[2*nodes:]), (*[nodes]uint64)(trees[3*nodes:])
		a, b, c, d := uint32(1), uint32(1), uint32(1), uint32(1)
		for range depth {
			a = step(ta, rows, a, 0)
			b = step(tb, rows, b, 0)
			c = step(tc, rows, c, 0)
			d = step(td, rows, d, 0)
		}
		sum += float64(paths[a%nodes])
		sum += float64(paths[nodes+b%nodes])
		sum += float64(paths[2*nodes+c%nodes])
		sum += float64(paths[3*nodes+d%nodes])
	}
	return sum
}

// step goes from a place to one of its children.
func step(tree *[nodes]uint64, rows *[lanes * MaxWidth]uint32, place, row uint32) uint32 {
	node := tree[place%nodes]
	value := rows[(row+uint32(node)%MaxWidth)%(lanes*MaxWidth)]
	// 1 when value >= cut: the difference of two numbers below 2^31 is negative
	// when it has its top bit set.
	return 2*place + (uint32(node>>32)-value-1)>>31
}

// Splits turns a score into how many splits fewer than on average it took to
// isolate the vector. Splits spread over some units where scores differ by
// hundredths, which is what standardising and ranking need. NaN gives 0.
func (f *Forest) Splits(score float64) float64 {
	if f == nil || !(score > 0 && score <= 1) {
		return 0
	}
	return average(f.Drawn) * (1 + math.Log2(score))
}
