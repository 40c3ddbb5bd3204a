package drill

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Customers are the subjects of the traffic in an order: that of their numbers
// where they are numbered, else of their names.
type Customers struct {
	// Distinct estimates how many there are.
	Distinct int
	ids      []string
	// Where nearly every number of a range occurs, ids are written rather than
	// looked up.
	prefix      string
	width       int
	first, last int64
}

// Len is how many can be had with At.
func (c *Customers) Len() int {
	if c.prefix != "" || c.width > 0 {
		return int(c.last - c.first + 1)
	}
	return len(c.ids)
}

// At returns the i-th, turning over at the end.
func (c *Customers) At(i int) string {
	n := c.Len()
	if n == 0 {
		return ""
	}
	if i %= n; i < 0 {
		i += n
	}
	if c.prefix != "" || c.width > 0 {
		return c.prefix + padded(c.first+int64(i), c.width)
	}
	return c.ids[i]
}

// Any draws one.
func (c *Customers) Any(rng *rand.Rand) string {
	if c.Len() == 0 {
		return ""
	}
	return c.At(rng.IntN(c.Len()))
}

// Run returns n in a row from the i-th.
func (c *Customers) Run(i, n int) []string {
	n = min(n, c.Len())
	out := make([]string, n)
	for k := range out {
		out[k] = c.At(i + k)
	}
	return out
}

// Some draws n different ones.
func (c *Customers) Some(rng *rand.Rand, n int) []string {
	n = min(n, c.Len())
	seen := make(map[int]bool, n)
	out := make([]string, 0, n)
	for len(out) < n {
		if i := rng.IntN(c.Len()); !seen[i] {
			seen[i] = true
			out = append(out, c.At(i))
		}
	}
	return out
}

// customers puts those that are known in order.
func (p *profiler) customers() Customers {
	c := Customers{ids: slices.Collect(maps.Keys(p.known)), Distinct: len(p.known)}
	if p.limit < math.MaxUint64 {
		c.Distinct = int(float64(len(p.known)) / (float64(p.limit) / math.MaxUint64))
	}
	slices.SortFunc(c.ids, byNumber)
	if len(c.ids) < 2 {
		return c
	}
	prefix, first, width := numbered(c.ids[0])
	other, last, width2 := numbered(c.ids[len(c.ids)-1])
	if first < 0 || last < 0 || prefix != other {
		return c
	}
	for _, id := range c.ids {
		if p, _, _ := numbered(id); p != prefix {
			return c
		}
	}
	if span := last - first + 1; float64(c.Distinct) > 0.4*float64(span) {
		c.prefix, c.first, c.last = prefix, first, last
		if width == width2 {
			c.width = width
		} else {
			c.width = 1
		}
	}
	return c
}

// byNumber orders ids by their prefix and then their number.
func byNumber(a, b string) int {
	pa, na, _ := numbered(a)
	pb, nb, _ := numbered(b)
	return cmp.Or(cmp.Compare(pa, pb), cmp.Compare(na, nb), cmp.Compare(a, b))
}

// numbered splits an id into what stands before its last digits and their
// number, -1 when it doesn't end in one.
func numbered(id string) (prefix string, n int64, width int) {
	i := len(id)
	for i > 0 && id[i-1] >= '0' && id[i-1] <= '9' && len(id)-i < 18 {
		i--
	}
	if i == len(id) {
		return id, -1, 0
	}
	n, err := strconv.ParseInt(id[i:], 10, 64)
	if err != nil {
		return id, -1, 0
	}
	return id[:i], n, len(id) - i
}

func padded(n int64, width int) string {
	s := strconv.FormatInt(n, 10)
	if len(s) < width {
		s = strings.Repeat("0", width-len(s)) + s
	}
	return s
}
