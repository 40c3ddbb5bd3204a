package drill

import (
	"fmt"
	"time"

	"vigil"
)

// t23: what nobody may read in the database is read from its copy.
func t23() Scenario {
	return Scenario{
		ID: "T23", Name: "Theft of a backup", Kind: Bulk, Parts: []Part{Technical, Service},
		About:    "In the evening an engineer makes a snapshot, shares it with another organisation's account, and dumps four tables to storage elsewhere.",
		Quiet:    "The nightly backup, by the service that always makes it, to the usual storage.",
		Breach:   stolenBackup,
		Innocent: nightlyBackup,
	}
}

func stolenBackup(s *stage) error {
	p, err := s.engineer()
	if err != nil {
		return err
	}
	form := p.Forms[0]
	known := int64(max(1, float64(s.scene.Customers.Distinct)*min(1, s.intensity)))
	tables := min(8, s.n(4))
	v := s.visit(p, s.usual(p), s.soon(p))
	v.inSession()
	if v.place.Agent != "" {
		v.place.Agent = "pg_dump (PostgreSQL) 17.2"
	}
	away := s.elsewhere(Place{IP: "x", Network: "x"}, "")
	v.other(form, vigil.ActionExecute, "snapshots", "backup")
	v.wait(4*time.Minute, 0.3)
	e := v.other(form, vigil.ActionShare, "snapshots", "backup")
	s.goes(e, "account", away.Network, "RO")
	v.wait(2*time.Minute, 0.3)
	for range tables {
		e := v.other(form, vigil.ActionExport, "backups", "backup")
		e.SubjectCount = known / int64(tables)
		v.sized(e, form, 12*known, 420)
		s.goes(e, "object-store", away.Network, "RO")
		v.wait(5*time.Minute, 0.3)
	}
	return nil
}

func nightlyBackup(s *stage) error {
	p, err := s.one("service", s.ofKind(vigil.KindService), s.automatic)
	if err != nil {
		return err
	}
	form := p.Forms[0]
	s.tellAssignment(s.scene.Start, vigil.Assignment{ID: "job-backup-" + p.Actor.ID, Who: only(p), Store: form.Store, Resource: "backups"})
	hour := 2 + s.rng.IntN(3)
	known := int64(s.scene.Customers.Distinct)
	for day := 1; day <= s.lastDay()-1; day++ {
		if day == s.lastDay()-9 {
			s.precedent()
		}
		v := s.visit(p, s.usual(p), s.clock(day, hour).Add(time.Duration(s.rng.IntN(90))*time.Second))
		v.keepSession()
		if v.session == "" && len(p.Sittings) > 0 && p.Sittings[0].ID != "" {
			v.session = fmt.Sprintf("backup-%d", day)
		}
		for range 4 {
			e := v.other(form, vigil.ActionExport, "backups", "backup")
			e.SubjectCount = known
			v.sized(e, form, 12*known, 420)
			s.goes(e, "object-store", "", "DE")
			v.wait(5*time.Minute, 0.1)
		}
	}
	return nil
}
