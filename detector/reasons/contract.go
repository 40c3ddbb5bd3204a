package reasons

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"vigil"
)

// contract is a contract with its networks read.
type contract struct {
	vigil.Contract
	networks []netip.Prefix
}

func newContract(c vigil.Contract) contract {
	out := contract{Contract: c}
	for _, n := range c.Networks {
		if p, ok := prefixOf(n); ok {
			out.networks = append(out.networks, p)
		}
	}
	return out
}

// prefixOf reads a network or an address.
func prefixOf(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// outside lists the ways in which an access is outside the contract. What the access
// does not tell is inside, save for the customer where one must be named.
func (c *contract) outside(e *vigil.Event) (out Breach) {
	if len(c.Stores) > 0 && e.Store != "" && !listed(c.Stores, e.Store) ||
		len(c.Resources) > 0 && e.Resource != "" && !listed(c.Resources, e.Resource) && !within(c.Resources, e.Store, e.Resource) {
		out |= OutsideResource
	}
	if len(c.Fields) > 0 {
		for _, f := range e.Fields {
			if !listed(c.Fields, f) {
				out |= OutsideFields
			}
		}
	}
	if len(c.Actions) > 0 && e.Action != vigil.ActionLogin && e.Action != vigil.ActionLogout && !slices.Contains(c.Actions, e.Action) {
		out |= OutsideAction
	}
	if len(c.Hours) > 0 && !slices.Contains(c.Hours, e.Time.UTC().Hour()) {
		out |= OutsideHours
	}
	if len(c.Networks) > 0 && !c.comesFrom(e) {
		out |= OutsideNetwork
	}
	if d := e.Destination; d != nil {
		if len(c.Regions) > 0 && d.Region != "" && !inRegion(c.Regions, d.Region) {
			out |= OutsideRegion
		}
		if len(c.Destinations) > 0 && (d.Kind != "" || d.Network != "") && !listed(c.Destinations, d.Kind) && !listed(c.Destinations, d.Network) {
			out |= OutsideDestination
		}
	}
	if c.PerCustomer && e.Action.Discloses() && len(e.Subjects) == 0 && e.Principal == "" {
		out |= OutsideCustomer
	}
	return out
}

// comesFrom says that the access came from one of the contract's networks, or told
// none.
func (c *contract) comesFrom(e *vigil.Event) bool {
	if e.Network == "" && e.ASN == "" || listed(c.Networks, e.Network) || listed(c.Networks, e.ASN) {
		return true
	}
	p, err := netip.ParsePrefix(e.Network)
	return err == nil && slices.ContainsFunc(c.networks, p.Overlaps)
}

// listed says that a list names s; an entry that ends with "*" names all that begin
// with what stands before.
func listed(list []string, s string) bool {
	if s == "" {
		return false
	}
	for _, l := range list {
		if l == s {
			return true
		}
		if start, ok := strings.CutSuffix(l, "*"); ok && strings.HasPrefix(s, start) {
			return true
		}
	}
	return false
}

// within says that a list names a resource together with its store.
func within(list []string, store, resource string) bool {
	for _, l := range list {
		s, r, ok := strings.Cut(l, "/")
		if ok && s == store && (r == resource || r == "*") {
			return true
		}
	}
	return false
}

func inRegion(list []string, place string) bool {
	for _, l := range list {
		if strings.EqualFold(l, place) {
			return true
		}
		for _, country := range regionOf[strings.ToLower(l)] {
			if strings.EqualFold(country, place) {
				return true
			}
		}
	}
	return false
}

// contracted asks the contracts of an actor. An access that one of them covers is
// covered; where none does, the one counts that it is least outside of.
func (b *Book) contracted(a *asker, e *vigil.Event, t int64, c *Checked) {
	var best *contract
	var out Breach
	named := false
	for i := range a.who {
		if b.contracts.kept[a.who[i].of] == 0 {
			continue
		}
		l := b.contracts.index[a.who[i].hash]
		if l == nil {
			continue
		}
		for _, en := range l.entries {
			if !a.fits(&en.rec.Who) {
				continue
			}
			named = true
			if en.from > t || en.to != never && en.to <= t {
				continue
			}
			o := en.rec.outside(e)
			if best == nil || milder(o, out) || o == out && wider(&en.rec, best) {
				best, out = &en.rec, o
			}
		}
	}
	if !named {
		return
	}
	c.Looked |= Contracted
	switch {
	case best == nil:
		c.Against |= OutsideExpired
	case out != 0:
		c.Against |= out
	default:
		c.Found |= Contracted
	}
	if best != nil {
		c.Bounds.Customers, c.Bounds.Rows = best.PerDay, best.RowsPerDay
	}
}

// milder orders what is outside, so that which contract counts does not hang on the
// order in which they came.
func milder(a, b Breach) bool {
	return cmp.Or(cmp.Compare(bits.OnesCount32(uint32(a)), bits.OnesCount32(uint32(b))), cmp.Compare(a, b)) < 0
}

// wider says that a allows more a day than b.
func wider(a, b *contract) bool {
	bound := func(n int64) uint64 { return uint64(n) - 1 } // none is the widest
	return cmp.Or(cmp.Compare(bound(b.PerDay), bound(a.PerDay)), cmp.Compare(bound(b.RowsPerDay), bound(a.RowsPerDay))) < 0
}
