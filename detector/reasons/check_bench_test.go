//go:build !race

package reasons_test

import (
	"fmt"
	"testing"

	"vigil"
	"vigil/detector/reasons"
)

// large is a book of a desk of 2,000 people with every kind of feed.
func large(tb testing.TB) (*reasons.Book, []*vigil.Event) {
	const people, customers = 2_000, 20_000
	facts := []vigil.Facts{person(), assignment(), shift(), change(), consent(), contract(), customer(), declared(), honey()}
	name := func(i int) string { return fmt.Sprintf("actor-%013d", i%people) }
	for i := range people {
		facts[0].People = append(facts[0].People, vigil.Person{Actor: name(i), Role: "agent", Team: fmt.Sprint("team-", i%40), Subject: fmt.Sprintf("subject-%013d", i*7)})
		for d := range 20 {
			facts[2].Shifts = append(facts[2].Shifts, vigil.Shift{Who: vigil.Who{Actor: name(i)}, Duty: vigil.DutyShift, Period: during(24*d-240, 24*d-232)})
		}
	}
	for i := range customers {
		s := fmt.Sprintf("subject-%013d", i)
		facts[1].Assignments = append(facts[1].Assignments, vigil.Assignment{
			Who: vigil.Who{Actor: name(i)}, Ticket: fmt.Sprintf("ticket-%013d", i), Subject: s, Period: during(-i%200, 9),
		})
		facts[4].Consents = append(facts[4].Consents, vigil.Consent{Subject: s, Purpose: "marketing", Withdrawn: at(-1)})
		facts[6].Customers = append(facts[6].Customers, vigil.Customer{Subject: s, Household: fmt.Sprint("h", i/2), Region: "EU"})
	}
	facts[3].Changes = []vigil.Change{{ID: "chg", Type: vigil.ChangeDeploy, Store: "crm", Period: during(-1, 1)}}
	facts[5].Contracts = []vigil.Contract{{Who: acme, Stores: []string{"chat"}}}
	facts[7].Purposes = []vigil.Purpose{{Who: vigil.Who{Role: "qa"}, Purpose: "qa", PerDay: 50}}
	facts[8].Honey = []vigil.Honey{{Subject: "subject-honey"}}
	events := make([]*vigil.Event, 4096)
	for i := range events {
		events[i] = read(by(vigil.Actor{ID: name(i * 31), Kind: vigil.KindHuman, Role: "agent", Team: "team-7"}), of(fmt.Sprintf("subject-%013d", i*17%customers)),
			ticket(fmt.Sprintf("ticket-%013d", i*17%customers)), chat(fmt.Sprintf("conversation-%013d", i)))
	}
	return book(tb, facts...), events
}

func BenchmarkCheck(b *testing.B) {
	full, events := large(b)
	for name, book := range map[string]*reasons.Book{"empty": reasons.New(reasons.Limits{}), "full": full} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			found := reasons.Reason(0)
			for i := 0; b.Loop(); i++ {
				found |= book.Check(events[i%len(events)]).Found
			}
		})
	}
}
