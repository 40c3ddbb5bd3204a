package drill

import (
	"strings"
	"time"

	"vigil"
)

// t08: somebody on the telephone has an agent connect an application.
func t08() Scenario {
	return Scenario{
		ID: "T08", Name: "Malicious connected application", Kind: Bulk, Parts: []Part{Technical},
		About:    "An agent allows an application that calls itself a data loader; six minutes later it reads 80 pages of 100 customers from elsewhere, and goes on after the password has been reset.",
		Quiet:    "A data loader that an administrator connects, with its ticket and contract, reads as many.",
		Breach:   connectedApp,
		Innocent: loaderProject,
	}
}

// loader is an application that reads pages of customers.
func (s *stage) loader(id string, like *Person) (*Person, *Form, error) {
	form, err := s.borrow(like, func(f *Form) bool { return f.Action.Discloses() && f.personal() && f.Most > 10 })
	if err != nil {
		if form, err = s.record(like); err != nil {
			return nil, nil, err
		}
	}
	a := vigil.Actor{ID: id, Tenant: like.Actor.Tenant}
	if like.Actor.Kind != "" {
		a.Kind, a.Role, a.App = vigil.KindVendor, "loader", "data-loader"
	}
	return s.stranger(a, like, s.elsewhere(s.usual(like), "data-loader/61.0"), form), form, nil
}

// pages lets a loader read, and returns when it is done.
func (s *stage) pages(p *Person, form *Form, at time.Time, n int) time.Time {
	v := s.visit(p, p.Places[0], at)
	for range n {
		v.serve(false)
		v.take(form, s.scene.Customers.Run(s.start(100), 100)).Conversation = ""
		v.wait(9*time.Second, 0.4)
	}
	return v.at
}

func connectedApp(s *stage) error {
	p, err := s.one("agent", s.frontline, s.person)
	if err != nil {
		return err
	}
	app, form, err := s.loader("data-loader-"+padded(int64(s.rng.IntN(9000)+1000), 4), p)
	if err != nil {
		return err
	}
	at := s.soon(p)
	v := s.visit(p, s.usual(p), at)
	v.inSession()
	v.other(p.Forms[0], vigil.ActionGrant, "connected_apps", "")
	v.wait(6*time.Minute, 0.2)
	s.act.Since = v.at
	n := s.n(80)
	again := s.pages(app, form, v.at, max(1, n*3/4))
	// Help comes, the password is changed; the application's token is forgotten.
	v.at = again.Add(20 * time.Minute)
	v.other(p.Forms[0], vigil.ActionConfigure, "passwords", "")
	s.pages(app, form, v.at.Add(25*time.Minute), max(1, n/4))
	return nil
}

func loaderProject(s *stage) error {
	p, err := s.administrator()
	if err != nil {
		return err
	}
	app, form, err := s.loader("data-loader-"+strings.ToLower(s.number("chg-")), p)
	if err != nil {
		return err
	}
	at := s.soon(p)
	change := s.number("CHG-")
	until := vigil.Period{From: at.Add(-time.Hour), To: at.AddDate(0, 0, 7)}
	place := app.Places[0]
	var networks []string
	if place.Network != "" {
		networks = []string{place.Network}
	}
	s.tellChange(at.AddDate(0, 0, -3), vigil.Change{ID: change, Type: vigil.ChangeChange, Who: only(p), Period: until})
	s.tellChange(at.AddDate(0, 0, -3), vigil.Change{ID: change, Type: vigil.ChangeChange, Who: only(app), Period: until})
	s.tellPerson(at.AddDate(0, 0, -1), vigil.Person{Actor: app.Actor.ID, Tenant: app.Actor.Tenant, Kind: app.Actor.Kind, Role: app.Actor.Role, Started: at.Add(-time.Hour)})
	s.tellContract(at.AddDate(0, 0, -1), vigil.Contract{
		ID: "contract-" + app.Actor.ID, Who: only(app), Stores: []string{form.Store}, Resources: []string{form.Resource},
		PerDay: int64(s.scene.Customers.Distinct + 10_000), Networks: networks, Period: until,
	})
	v := s.visit(p, s.usual(p), at)
	v.inSession()
	v.ticket = change
	v.other(p.Forms[0], vigil.ActionGrant, "connected_apps", "")
	v.wait(40*time.Minute, 0.3)
	s.pages(app, form, v.at, 80)
	return nil
}
