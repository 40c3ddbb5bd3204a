package drill

import (
	"time"

	"vigil"
)

// t24: the store behind the bot's answers is emptied by asking.
func t24() Scenario {
	return Scenario{
		ID: "T24", Name: "Harvesting of the bot's retrieval store", Kind: Bulk, Parts: []Part{Bot, Service},
		About:    "In one long conversation the bot's retrieval is asked 400 near-duplicates, at ten times the usual number of results, page after page.",
		Quiet:    "The index is built anew, by the service that always does, as it was four weeks before.",
		Breach:   harvest,
		Innocent: reindex,
	}
}

// Retrieval is what fetches the most similar of something: what customers told
// rather than what is public, and searches rather than reads.
func retrieves() []func(*Form) bool {
	return []func(*Form) bool{
		func(f *Form) bool { return f.Action == vigil.ActionSearch && f.Most > 0 && f.Class != "public" },
		func(f *Form) bool { return f.Action == vigil.ActionSearch && f.Most > 0 },
		func(f *Form) bool { return f.Action == vigil.ActionRead && f.Class == "public" && f.Most > 0 },
	}
}

func harvest(s *stage) error {
	var fits []func(*Person) bool
	for _, fit := range retrieves() {
		fits = append(fits, func(p *Person) bool { return s.automatic(p) && p.Actor.Kind == vigil.KindBot && p.form(fit) != nil })
	}
	p, err := s.one("bot", append(fits, s.ofKind(vigil.KindBot), s.automatic)...)
	if err != nil {
		return err
	}
	var form *Form
	for _, fit := range retrieves() {
		if form == nil {
			form = p.form(fit)
		}
	}
	if form == nil {
		if form, err = s.record(p); err != nil {
			return err
		}
	}
	v := s.visit(p, s.usual(p), s.soon(p))
	v.keepSession()
	v.serve(false)
	own := s.scene.Customers.Any(s.rng)
	v.principal = own
	s.act.own[own] = true
	top := max(50, 10*usualLimit(form))
	for range s.n(400) {
		e := v.do(form)
		e.Limit = top
		if form.rows > 0 || form.Most > 0 {
			e.Rows = top
		}
		if form.bytes > 0 {
			e.Bytes = int64(float64(e.Rows) * form.BytesEach)
		}
		switch {
		case form.Single*2 > form.Count:
			// The log names who asked, not whose the passages are.
			e.Subjects, e.SubjectCount = []string{own}, 1
		case form.Named > 0:
			e.Subjects = s.scene.Customers.Some(s.rng, int(min(top, 50)))
			e.SubjectCount = int64(len(e.Subjects))
		case form.Counted > 0:
			e.SubjectCount = top / 2
		}
		if form.Class != "public" && len(e.Subjects) <= 1 {
			s.act.hidden[e.ID] = top * 4 / 5
		}
		e.Shape = form.Samples[0].Shape // the same question, a word changed
		e.Conversation = v.talk
		v.wait(8*time.Second, 0.4)
	}
	return nil
}

// usualLimit is the limit that samples of a form ask for.
func usualLimit(f *Form) int64 {
	var most int64 = 5
	for _, e := range f.Samples {
		most = max(most, e.Limit)
	}
	return most
}

// reindex reads all documents in pages, twice, four weeks apart.
func reindex(s *stage) error {
	writes := func(p *Person) bool {
		return s.automatic(p) && p.Actor.Kind == vigil.KindService && p.form(func(f *Form) bool { return f.Action == vigil.ActionWrite }) != nil
	}
	p, err := s.one("indexing service", writes, s.ofKind(vigil.KindService), s.automatic)
	if err != nil {
		return err
	}
	form := p.form(func(f *Form) bool { return f.Action.Discloses() && f.Most > 10 })
	if form == nil {
		form = p.Forms[0]
	}
	late := s.lastDay() - 2 - s.rng.IntN(6)
	s.tellAssignment(s.scene.Start, vigil.Assignment{ID: "job-index-" + p.Actor.ID, Who: only(p), Store: form.Store, Resource: form.Resource})
	s.tellChange(s.clock(late-3, 9), vigil.Change{
		ID: "CHG-index-" + p.Actor.ID, Type: vigil.ChangeChange, Who: only(p), Period: vigil.Period{From: s.clock(late, 1), To: s.clock(late, 6)},
	})
	for _, day := range []int{late - 28, late} {
		if day < 1 {
			continue
		}
		s.precedent()
		v := s.visit(p, s.usual(p), s.clock(day, 2).Add(time.Duration(s.rng.IntN(600))*time.Second))
		for range 300 {
			e := v.do(form)
			e.Limit = max(e.Limit, form.Most)
			if form.Counted > 0 {
				e.SubjectCount = max(1, e.Limit/2)
				v.size(e, form, e.SubjectCount)
			}
			v.wait(12*time.Second, 0.2)
		}
	}
	return nil
}
