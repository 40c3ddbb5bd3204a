package privacy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"vigil"
	"vigil/internal/privacy"
)

// canaryFacts name somebody in every field that may.
func canaryFacts() []vigil.Facts {
	who := vigil.Who{Actor: "canary-actor", Role: "agent", Team: "emea"}
	same := vigil.Attributes{Surname: "Canary", Address: "Canary Street 1", Phone: "+1 555 0100123", Email: "canary@example.com"}
	return []vigil.Facts{
		{Kind: vigil.FactPerson, People: []vigil.Person{{Actor: "canary-actor", Manager: "canary-boss", Subject: "canary-subject", Attributes: same}}},
		{Kind: vigil.FactAssignment, Assignments: []vigil.Assignment{{ID: "canary-1", Who: who, Conversation: "canary-conversation", Ticket: "canary-ticket", Subject: "canary-subject", Purpose: "call canary back"}}},
		{Kind: vigil.FactShift, Shifts: []vigil.Shift{{ID: "canary-2", Who: who, Duty: vigil.DutyShift}}},
		{Kind: vigil.FactChange, Changes: []vigil.Change{{ID: "canary-ticket", Who: who, Type: vigil.ChangeChange}}},
		{Kind: vigil.FactConsent, Consents: []vigil.Consent{{Subject: "canary-subject", Purpose: "canary purpose"}}},
		{Kind: vigil.FactContract, Contracts: []vigil.Contract{{ID: "canary-3", Who: who, Destinations: []string{"webhook", "203.0.113.9"}, Networks: []string{"10.0.0.0/8"}}}},
		{Kind: vigil.FactCustomer, Customers: []vigil.Customer{{Subject: "canary-subject", Household: "canary-house", Attributes: same}}},
		{Kind: vigil.FactPurpose, Purposes: []vigil.Purpose{{ID: "canary-4", Who: who, Purpose: "qa"}}},
		{Kind: vigil.FactHoney, Honey: []vigil.Honey{{Subject: "canary-subject"}}},
	}
}

func TestFactsKeepNobodyAndFitEvents(t *testing.T) {
	t.Parallel()
	p := newPseudonymizer(t, privacy.Options{})
	all := canaryFacts()
	for i := range all {
		p.Facts(&all[i], "acme")
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"canary", "Canary", "0100123", "203.0.113.9"} {
		if strings.Contains(string(text), s) {
			t.Errorf("%s shows: %s", s, text)
		}
	}
	e := canaryEvent()
	p.Event(e, "acme")
	a := all[1].Assignments[0]
	if a.Actor != e.Actor.ID || a.Ticket != e.Ticket || a.Conversation != e.Conversation || a.Subject != e.Subjects[0] || all[3].Changes[0].ID != e.Ticket {
		t.Errorf("facts and events have different pseudonyms: %+v and %+v", a, e)
	}
	if d := all[5].Contracts[0].Destinations; d[0] != "webhook" || d[1] != e.Destination.Network {
		t.Errorf("%v", d)
	}
	if all[0].People[0].Attributes != all[6].Customers[0].Attributes {
		t.Error("the same attributes of a person and a customer differ")
	}
}

func TestAttributesHaveANormalForm(t *testing.T) {
	t.Parallel()
	form := func(a vigil.Attributes) vigil.Attributes {
		f := vigil.Facts{Customers: []vigil.Customer{{Attributes: a}}}
		newPseudonymizer(t, privacy.Options{}).Facts(&f, "")
		return f.Customers[0].Attributes
	}
	one := form(vigil.Attributes{Surname: "Müller-Lüdenscheidt", Address: "Lindenstraße 4, 10969 Berlin", Phone: "+49 (30) 123 45 67", Email: " Maria@Example.com"})
	same := form(vigil.Attributes{Surname: "mueller luedenscheidt", Address: "LINDENSTR. 4 10969 berlin", Phone: "0049301234567", Email: "maria@example.com"})
	if one != same {
		t.Errorf("%+v and %+v", one, same)
	}
	other := form(vigil.Attributes{Surname: "Möller", Address: "Lindenstraße 5, 10969 Berlin", Phone: "0301234568", Email: "mario@example.com"})
	if one.Shared(other) != 0 {
		t.Errorf("others share: %+v and %+v", one, other)
	}
	if got := form(vigil.Attributes{}); got != (vigil.Attributes{}) {
		t.Errorf("nothing has become %+v", got)
	}
	// The same text in two fields is not the same.
	if x := form(vigil.Attributes{Surname: "a", Email: "a"}); x.Surname == x.Email {
		t.Error("a surname and a mail address share a hash")
	}
	var none *privacy.Pseudonymizer
	f := vigil.Facts{People: []vigil.Person{{Actor: "Maria", Attributes: vigil.Attributes{Surname: "Müller"}}}}
	if none.Facts(&f, ""); f.People[0].Actor != "Maria" || f.People[0].Surname != "muller" {
		t.Errorf("without a key: %+v", f.People[0])
	}
}
