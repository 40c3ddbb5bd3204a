package activity

import (
	"cmp"
	"slices"
)

// MaxNetworks bounds the networks that are told apart.
const MaxNetworks = 10_000

// Network is how one network was used.
type Network struct {
	Name, Country, ASN string
	// Accesses are those within the span that is looked at, Refused those of them that
	// were denied or failed, Before those of the time before it.
	Accesses, Refused, Before int
	// First and Last are the times of the first and the last within the span, in UTC
	// nanoseconds.
	First, Last int64
}

// New reports whether the network was not used before the span.
func (n *Network) New() bool { return n.Before == 0 && n.Accesses > 0 }

// Networks counts accesses by where they came from. From splits the time: what lies before
// it is the past.
type Networks struct {
	From int64
	// Unnamed are accesses within the span whose source tells no network, Others those of
	// networks beyond MaxNetworks.
	Unnamed, Others int
	by              map[[3]string]*Network
}

// Add counts an access at a time in UTC nanoseconds.
func (n *Networks) Add(t int64, network, country, asn string, refused bool) {
	within := t >= n.From
	if network == "" {
		if within {
			n.Unnamed++
		}
		return
	}
	key := [3]string{network, country, asn}
	x := n.by[key]
	if x == nil {
		if len(n.by) >= MaxNetworks {
			if within {
				n.Others++
			}
			return
		}
		if n.by == nil {
			n.by = map[[3]string]*Network{}
		}
		x = &Network{Name: network, Country: country, ASN: asn}
		n.by[key] = x
	}
	if !within {
		x.Before++
		return
	}
	if x.Accesses++; x.Accesses == 1 || t < x.First {
		x.First = t
	}
	x.Last = max(x.Last, t)
	if refused {
		x.Refused++
	}
}

// List returns the networks used within the span, those first that were used most, at most
// the given number, and how many it leaves out.
func (n *Networks) List(most int) (out []Network, left int) {
	for _, x := range n.by {
		if x.Accesses > 0 {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(a, b Network) int {
		return cmp.Or(cmp.Compare(b.Accesses, a.Accesses), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Country, b.Country), cmp.Compare(a.ASN, b.ASN))
	})
	left = max(0, len(out)-most)
	return out[:len(out)-left], left
}
