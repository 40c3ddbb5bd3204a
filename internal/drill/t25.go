package drill

import (
	"time"

	"vigil"
)

// t25: the prompts and answers that are kept for debugging hold everything.
func t25() Scenario {
	return Scenario{
		ID: "T25", Name: "Leak from the store of the bot's traces", Kind: Bulk, Parts: []Part{Technical, Service},
		About:    "An engineer who has nothing to do with the bot makes a key for the store of its traces, exports 30 pages of 100 conversations, and opens a public link to them.",
		Quiet:    "The nightly evaluation reads traces by its own identity, as it always did.",
		Breach:   traceLeak,
		Innocent: evaluation,
	}
}

func traceLeak(s *stage) error {
	p, err := s.engineer()
	if err != nil {
		return err
	}
	form := p.Forms[0]
	v := s.visit(p, s.usual(p), s.soon(p))
	v.inSession()
	v.other(form, vigil.ActionGrant, "api_keys", "trace")
	v.wait(3*time.Minute, 0.3)
	s.act.Since = v.at
	for range s.n(30) {
		list := s.scene.Customers.Run(s.start(100), 100)
		e := v.other(form, vigil.ActionExport, "traces", "trace")
		e.Subjects, e.SubjectCount = list, int64(len(list))
		v.sized(e, form, 100, 6_000)
		v.wait(12*time.Second, 0.4)
	}
	e := v.other(form, vigil.ActionShare, "traces", "trace")
	e.SubjectCount = int64(s.n(30) * 100)
	s.goes(e, "public-link", "", "")
	return nil
}

func evaluation(s *stage) error {
	p, err := s.one("service", s.ofKind(vigil.KindService), s.automatic)
	if err != nil {
		return err
	}
	form := p.Forms[0]
	s.tellAssignment(s.scene.Start, vigil.Assignment{ID: "job-eval-" + p.Actor.ID, Who: only(p), Store: form.Store, Resource: "traces"})
	hour := 1 + s.rng.IntN(4)
	for day := 1; day <= s.lastDay()-1; day++ {
		if day == s.lastDay()-9 {
			s.precedent()
		}
		v := s.visit(p, s.usual(p), s.clock(day, hour).Add(time.Duration(s.rng.IntN(300))*time.Second))
		v.keepSession()
		for range 10 {
			list := s.scene.Customers.Some(s.rng, 20)
			e := v.other(form, vigil.ActionRead, "traces", "trace")
			e.Subjects, e.SubjectCount = list, int64(len(list))
			v.sized(e, form, 20, 6_000)
			v.wait(20*time.Second, 0.3)
		}
	}
	return nil
}
