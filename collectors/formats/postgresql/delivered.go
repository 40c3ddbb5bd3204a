package postgresql

// keptIDs is how many of the latest ids are remembered.
const keptIDs = 1024

// delivered remembers the latest ids that providers gave to records: some deliver a record
// twice. The zero value is ready.
type delivered struct {
	known map[string]struct{}
	ring  []string
	at    int
}

// add notes an id and reports whether it is new.
func (d *delivered) add(id string) bool {
	if _, ok := d.known[id]; ok {
		return false
	}
	if d.known == nil {
		d.known = make(map[string]struct{})
	}
	if len(d.ring) < keptIDs {
		d.ring = append(d.ring, id)
	} else {
		delete(d.known, d.ring[d.at])
		d.ring[d.at] = id
		d.at = (d.at + 1) % keptIDs
	}
	d.known[id] = struct{}{}
	return true
}
