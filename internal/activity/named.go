package activity

// Named tells customers apart by the bucket of time in which they were named. Once there are
// more accesses than it may look at, it holds nothing any more.
type Named struct {
	most, seen int
	by         []map[string]struct{}
}

// NewNamed makes one of so many buckets, for at most so many accesses.
func NewNamed(buckets, most int) *Named {
	return &Named{most: most, by: make([]map[string]struct{}, buckets)}
}

// Add counts an access: its customers, and its conversation where none are named. Empty names
// are nobody's.
func (n *Named) Add(bucket int, names []string, conversation string) {
	if n.seen++; n.seen > n.most {
		n.by = nil
		return
	}
	if n.by[bucket] == nil {
		n.by[bucket] = map[string]struct{}{}
	}
	for _, name := range names {
		n.by[bucket][name] = struct{}{}
	}
	if len(names) == 0 && conversation != "" {
		n.by[bucket][conversation] = struct{}{}
	}
}

// Counts are how many there were in each bucket; nil when there were too many accesses.
func (n *Named) Counts() []float64 {
	if n.by == nil {
		return nil
	}
	out := make([]float64, len(n.by))
	for i, names := range n.by {
		out[i] = float64(len(names))
	}
	return out
}
