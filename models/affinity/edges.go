package affinity

// Edges scores edges of sources and destinations in one place. Where the two ends
// are owned by different shards, AddSource and Sketch.AddFan do its halves.
type Edges struct {
	// Sources counts edges and their sources, Destinations the other ends.
	Sources, Destinations *Sketch
}

// Edges makes an empty pair of sketches.
func (m *Model) Edges() *Edges { return &Edges{m.Sketch(), m.Sketch()} }

// Add counts one edge and returns its raw score in nats, from zero: the largest
// of the edge's, its source's and its destination's.
func (e *Edges) Add(src, dst uint64, tick int64) float64 {
	s, fresh := e.Sources.AddSource(src, dst, tick)
	d, _ := e.Destinations.AddFan(dst, tick, fresh)
	return max(s, d)
}

// AddSource is the source's half of an edge: it counts the edge and its source in
// this sketch. The destination's half is AddFan(dst, tick, fresh) on the sketch of
// the destination, and Combine makes one score of both.
func (s *Sketch) AddSource(src, dst uint64, tick int64) (score float64, fresh bool) {
	edge, fresh := s.AddFan(edgeKey(src, dst), tick, false)
	node, _ := s.AddFan(nodeKey(src), tick, fresh)
	return max(edge, node), fresh
}
