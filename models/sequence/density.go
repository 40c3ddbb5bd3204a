package sequence

import (
	"cmp"
	"math"
	"slices"
)

// sampled is how many different ids a Density keeps.
const sampled = 64

// luck is by how much the shortest half of a sample of 64 makes a range look
// denser than it is: the half was chosen for being short.
const luck = 1.25

// Density is how densely numeric ids were read where they were read most densely,
// from a sample of the different ones: those with the smallest hashes (Bar-Yossef
// et al., "Counting distinct elements in a data stream", 2002). Unlike a Walk's
// range it minds neither a few ids from elsewhere, thrown in to hide it, nor
// several ranges. It takes 512 bytes at most; parts merge into exactly the whole.
type Density struct {
	// IDs are the sample, by their hashes.
	IDs []uint64
}

// Add feeds one id; reading it again changes nothing.
func (d *Density) Add(id uint64) {
	if n := len(d.IDs); n == sampled && !byHash(id, d.IDs[n-1]) {
		return
	}
	at, have := slices.BinarySearchFunc(d.IDs, id, func(a, b uint64) int { return cmp.Compare(spread(a), spread(b)) })
	if have {
		return
	}
	d.IDs = slices.Insert(d.IDs, at, id)
	d.IDs = d.IDs[:min(len(d.IDs), sampled)]
}

// Merge adds the ids of o.
func (d *Density) Merge(o *Density) {
	for _, id := range o.IDs {
		d.Add(id)
	}
}

// spread hashes an id; different ids have different hashes.
func spread(id uint64) uint64 { return extend(id, 0) }

func byHash(a, b uint64) bool { return spread(a) < spread(b) }

// Distinct estimates how many different ids there were: exactly up to 63, then to
// within an eighth (one standard deviation).
func (d *Density) Distinct() float64 {
	n := len(d.IDs)
	if n < sampled {
		return float64(n)
	}
	return math.Max(sampled, (sampled-1)/(float64(spread(d.IDs[n-1]))+1)*(1<<64))
}

// Coverage is the share of ids that were read, above 0 and at most 1, in the
// shortest range that holds half of the sample, and a raw score that rises with
// it: -log10 of the share left out, of which at least one in ten and four ids are
// taken for granted. Sampling leaves the share uncertain by about a sixth. Both
// are unknown for fewer than eight different ids.
func (d *Density) Coverage() (share, score float64, known bool) {
	n := len(d.IDs)
	if n < minWalk {
		return 0, 0, false
	}
	var room [sampled]uint64
	ids := room[:copy(room[:], d.IDs)]
	slices.Sort(ids)
	half := len(ids)/2 + 1
	width := uint64(math.MaxUint64)
	for i := half - 1; i < len(ids); i++ {
		width = min(width, ids[i]-ids[i+1-half])
	}
	distinct := d.Distinct()
	read := float64(half-1)*distinct/float64(len(ids)) + 1
	share = read / (float64(width) + 1)
	if len(ids) == sampled {
		share /= luck
	}
	share = math.Min(share, 1)
	return share, -math.Log10(1 - 0.9*share*distinct/(distinct+4)), true
}
