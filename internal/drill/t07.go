package drill

import (
	"time"

	"vigil"
)

// t07: the token of a vendor's integration is used by somebody else: it looks
// around, comes back days later for all it can get, and removes its traces.
func t07() Scenario {
	return Scenario{
		ID: "T07", Name: "Stolen token of a vendor", Kind: Bulk, Parts: []Part{Vendor, Service},
		About:    "A vendor's token is used from a new network with a new client: it counts and describes, three days later reads objects new to it in bulk, 200 rows at a time, and deletes its jobs.",
		Quiet:    "A vendor moves to another cloud: same client, same work, another network from then on.",
		Breach:   vendorToken,
		Innocent: vendorMoves,
	}
}

func (s *stage) vendor() (*Person, error) {
	return s.one("vendor", s.ofKind(vigil.KindVendor), s.ofKind(vigil.KindService), s.automatic)
}

func vendorToken(s *stage) error {
	if err := s.needs(10); err != nil {
		return err
	}
	p, err := s.vendor()
	if err != nil {
		return err
	}
	// What others read of the same stores, and this one never did; if it reads
	// everything already, then what it reads.
	stores := map[string]bool{}
	for _, f := range p.Forms {
		stores[f.Store] = true
	}
	var news []*Form
	seen := map[string]bool{}
	for i, near := range []func(*Form) bool{func(f *Form) bool { return stores[f.Store] }, func(*Form) bool { return true }, p.has} {
		known := i == 2
		for _, o := range s.scene.People {
			for _, f := range o.Forms {
				key := f.Store + "\x00" + f.Resource
				if f.Action == vigil.ActionRead && f.personal() && near(f) && !seen[key] && p.has(f) == known {
					seen[key] = true
					news = append(news, f)
				}
			}
		}
		if len(news) > 0 {
			break
		}
	}
	if len(news) == 0 {
		f, err := s.record(p)
		if err != nil {
			return err
		}
		news = append(news, f)
	}
	place := s.elsewhere(s.usual(p), "python-requests/2.32.3")
	night := s.clock(s.lastDay()-3-s.rng.IntN(4), 1+s.rng.IntN(5)).Add(time.Duration(s.rng.IntN(3000)) * time.Second)
	look := s.visit(p, place, night.AddDate(0, 0, -3))
	for range s.n(14) {
		look.ask(news[s.rng.IntN(len(news))])
		look.wait(40*time.Second, 0.7)
	}
	v := s.visit(p, place, night)
	v.ask(news[0])
	v.wait(20*time.Second, 0.4)
	for i := range s.n(120) {
		f := news[i%len(news)]
		v.serve(false)
		e := v.take(f, s.scene.Customers.Run(s.start(100), 100))
		if e.Rows > 0 {
			e.Rows = max(e.Rows, 200)
		}
		e.Conversation = ""
		v.wait(35*time.Second, 0.5)
	}
	gone := v.do(news[0])
	gone.Action, gone.Resource, gone.ResourceClass = vigil.ActionDelete, "jobs", ""
	gone.Conversation, gone.Fields, gone.Shape = "", nil, "delete jobs"
	gone.Rows, gone.Bytes, gone.Limit = vigil.Unknown, vigil.Unknown, vigil.Unknown
	return nil
}

// ask counts or describes what a form would show.
func (v *visit) ask(f *Form) {
	e := v.do(f)
	e.SubjectCount = 0
	e.Conversation, e.Fields = "", nil
	if e.Shape != "" {
		e.Shape = "count " + e.Shape
	}
	if e.Rows > 0 {
		e.Rows = 1
	}
	if e.Bytes > 0 {
		e.Bytes = 180
	}
}

func vendorMoves(s *stage) error {
	p, err := s.vendor()
	if err != nil {
		return err
	}
	place := s.elsewhere(s.usual(p), s.usual(p).Agent)
	from := s.clock(s.lastDay()-7-s.rng.IntN(3), s.rng.IntN(24))
	c := s.scene.contract(p)
	c.Networks = oneMore(c.Networks, place.Network)
	s.tellContract(from.AddDate(0, 0, -2), c)
	s.tellChange(from.AddDate(0, 0, -2), vigil.Change{
		ID: s.number("CHG-"), Type: vigil.ChangeChange, Who: only(p), Period: vigil.Period{From: from, To: from.AddDate(0, 0, 14)},
	})
	s.act.edits = append(s.act.edits, edit{
		who: keyOf(&p.Actor), from: from, to: s.scene.End.Add(time.Hour), mine: true,
		change: func(e *vigil.Event) bool {
			e.IP, e.Network, e.Country, e.ASN = place.IP, place.Network, place.Country, place.ASN
			return true
		},
	})
	return nil
}
