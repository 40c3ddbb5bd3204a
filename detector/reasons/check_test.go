//go:build !race

package reasons_test

import (
	"testing"
	"time"

	"vigil"
	"vigil/detector/reasons"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func at(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }

func during(from, to int) vigil.Period { return vigil.Period{From: at(from), To: at(to)} }

func book(t testing.TB, facts ...vigil.Facts) *reasons.Book {
	t.Helper()
	b := reasons.New(reasons.Limits{})
	for _, f := range facts {
		b.Apply(f)
	}
	if c := b.Counts(); c.Refused != 0 || c.Dropped != 0 {
		t.Fatalf("refused %d, dropped %d", c.Refused, c.Dropped)
	}
	return b
}

// read is an access by ana of the support team, at noon.
func read(change ...func(*vigil.Event)) *vigil.Event {
	e := vigil.NewEvent()
	e.Time, e.Action, e.Store, e.Resource = noon, vigil.ActionRead, "chat", "messages"
	e.Actor = vigil.Actor{ID: "ana", Kind: vigil.KindHuman, Role: "agent", Team: "emea"}
	e.Subjects = []string{"c1"}
	for _, c := range change {
		c(e)
	}
	return e
}

func ticket(id string) func(*vigil.Event)     { return func(e *vigil.Event) { e.Ticket = id } }
func purpose(p string) func(*vigil.Event)     { return func(e *vigil.Event) { e.Purpose = p } }
func when(t time.Time) func(*vigil.Event)     { return func(e *vigil.Event) { e.Time = t } }
func of(s ...string) func(*vigil.Event)       { return func(e *vigil.Event) { e.Subjects = s } }
func by(a vigil.Actor) func(*vigil.Event)     { return func(e *vigil.Event) { e.Actor = a } }
func from(n string) func(*vigil.Event)        { return func(e *vigil.Event) { e.Network = n } }
func within(tn string) func(*vigil.Event)     { return func(e *vigil.Event) { e.ResourceTenant = tn } }
func chat(id string) func(*vigil.Event)       { return func(e *vigil.Event) { e.Conversation = id } }
func country(c string) func(*vigil.Event)     { return func(e *vigil.Event) { e.Country = c } }
func doing(a vigil.Action) func(*vigil.Event) { return func(e *vigil.Event) { e.Action = a } }

func person(p ...vigil.Person) vigil.Facts {
	return vigil.Facts{Feed: "hr", Kind: vigil.FactPerson, People: p}
}

func assignment(a ...vigil.Assignment) vigil.Facts {
	return vigil.Facts{Feed: "desk", Kind: vigil.FactAssignment, Assignments: a}
}

func shift(s ...vigil.Shift) vigil.Facts {
	return vigil.Facts{Feed: "rota", Kind: vigil.FactShift, Shifts: s}
}

func change(c ...vigil.Change) vigil.Facts {
	return vigil.Facts{Feed: "cab", Kind: vigil.FactChange, Changes: c}
}

func consent(c ...vigil.Consent) vigil.Facts {
	return vigil.Facts{Feed: "crm", Kind: vigil.FactConsent, Consents: c}
}

func contract(c ...vigil.Contract) vigil.Facts {
	return vigil.Facts{Feed: "legal", Kind: vigil.FactContract, Contracts: c}
}

func customer(c ...vigil.Customer) vigil.Facts {
	return vigil.Facts{Feed: "crm", Kind: vigil.FactCustomer, Customers: c}
}

func declared(p ...vigil.Purpose) vigil.Facts {
	return vigil.Facts{Feed: "dpo", Kind: vigil.FactPurpose, Purposes: p}
}

func honey(h ...vigil.Honey) vigil.Facts {
	return vigil.Facts{Feed: "bait", Kind: vigil.FactHoney, Honey: h}
}

var (
	ana      = vigil.Who{Actor: "ana"}
	acme     = vigil.Who{Actor: "acme-bot"}
	acmeBot  = vigil.Actor{ID: "acme-bot", Kind: vigil.KindVendor}
	engineer = vigil.Actor{ID: "eve", Kind: vigil.KindHuman, Role: "engineer"}
)

func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		assigned = reasons.Assigned
		approved = reasons.Approved
		named    = reasons.Named
	)
	family := customer(vigil.Customer{Subject: "c1", Household: "h"}, vigil.Customer{Subject: "c2", Household: "h"})
	relatives := []vigil.Facts{
		person(vigil.Person{Actor: "ana", Subject: "c9", Attributes: vigil.Attributes{Surname: "s", Address: "a", Phone: "p"}},
			vigil.Person{Actor: "bob", Subject: "c8"}),
		customer(vigil.Customer{Subject: "c1", Attributes: vigil.Attributes{Surname: "s", Address: "a"}},
			vigil.Customer{Subject: "c2", Attributes: vigil.Attributes{Surname: "s", Address: "b", Phone: "q"}},
			vigil.Customer{Subject: "c9", Household: "h"}, vigil.Customer{Subject: "c3", Household: "h"}),
	}
	deal := contract(vigil.Contract{
		Who: acme, Stores: []string{"chat"}, Resources: []string{"messages", "chat/cases*"}, Fields: []string{"text"},
		Actions: []vigil.Action{vigil.ActionRead}, Hours: []int{11, 12}, Networks: []string{"203.0.113.0/24", "198.51.100.7", "AS64500"},
		Regions: []string{"EU"}, Destinations: []string{"webhook"}, PerCustomer: true, PerDay: 5, RowsPerDay: 7, Period: during(-10, 10),
	})
	vendor := func(c ...func(*vigil.Event)) *vigil.Event {
		return read(append([]func(*vigil.Event){by(acmeBot)}, c...)...)
	}
	for name, c := range map[string]struct {
		facts   []vigil.Facts
		event   *vigil.Event
		looked  reasons.Reason
		found   reasons.Reason
		against reasons.Breach
	}{
		"nothing is known":               {nil, read(), 0, 0, 0},
		"a ticket is named":              {nil, read(ticket("t1")), 0, named, 0},
		"a purpose is named":             {nil, read(purpose("qa")), 0, named, 0},
		"an empty feed still looks":      {[]vigil.Facts{assignment()}, read(), assigned, 0, 0},
		"ticket of the actor":            {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Ticket: "t1"})}, read(ticket("t1")), assigned, named | assigned, 0},
		"ticket of another":              {[]vigil.Facts{assignment(vigil.Assignment{Who: vigil.Who{Actor: "bob"}, Ticket: "t1"})}, read(ticket("t1")), assigned, 0, 0},
		"ticket that nobody has":         {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Ticket: "t1"})}, read(ticket("t2")), assigned, 0, 0},
		"ticket, where none is assigned": {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Conversation: "k"})}, read(ticket("t1")), assigned, named, 0},
		"ticket of another customer":     {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Ticket: "t1", Subject: "c7"})}, read(ticket("t1")), assigned, 0, 0},
		"ticket's customer, none named":  {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Ticket: "t1", Subject: "c1"})}, read(), assigned, assigned, 0},
		"ticket over a list":             {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Ticket: "t1"})}, read(ticket("t1"), of("a", "b", "c", "d")), assigned, 0, 0},
		"ticket of the team":             {[]vigil.Facts{assignment(vigil.Assignment{Who: vigil.Who{Team: "emea"}, Ticket: "t1"})}, read(ticket("t1")), assigned, named | assigned, 0},
		"ticket of another tenant":       {[]vigil.Facts{assignment(vigil.Assignment{Who: vigil.Who{Actor: "ana", Tenant: "x"}, Ticket: "t1"})}, read(ticket("t1"), by(vigil.Actor{ID: "ana", Tenant: "y"})), assigned, 0, 0},
		"conversation":                   {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Conversation: "k"})}, read(chat("k")), assigned, assigned, 0},
		"assignment to come":             {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1", Period: during(1, 9)})}, read(), assigned, 0, 0},
		"assignment past":                {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1", Period: during(-9, -1)})}, read(), assigned, 0, 0},
		"assignment just closed":         {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1", Period: vigil.Period{To: noon.Add(-time.Minute)}})}, read(), assigned, assigned, 0},
		"long one below short ones": {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1", Period: during(-90, 90)},
			vigil.Assignment{Who: ana, Subject: "c1", Period: during(-5, -4)}, vigil.Assignment{Who: ana, Subject: "c1", Period: during(-3, -2)})}, read(), assigned, assigned, 0},
		"one of two customers":      {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1"})}, read(of("c1", "c2")), assigned, 0, 0},
		"two of a household":        {[]vigil.Facts{family, assignment(vigil.Assignment{Who: ana, Subject: "c1"})}, read(of("c1", "c2")), assigned, assigned, 0},
		"customers beyond the list": {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1"})}, read(func(e *vigil.Event) { e.SubjectCount = 9 }), assigned, 0, 0},
		"queue of a role":           {[]vigil.Facts{assignment(vigil.Assignment{Who: vigil.Who{Role: "agent"}, Store: "chat", Resource: "messages"})}, read(of("a", "b", "c", "d")), assigned, assigned, 0},
		"queue of another resource": {[]vigil.Facts{assignment(vigil.Assignment{Who: vigil.Who{Role: "agent"}, Store: "chat", Resource: "queue"})}, read(), assigned, 0, 0},
		"machine not named":         {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1"})}, vendor(), 0, 0, 0},
		"machine named":             {[]vigil.Facts{assignment(vigil.Assignment{Who: acme, Subject: "c7"})}, vendor(), assigned, 0, 0},
		"role by the directory":     {[]vigil.Facts{person(vigil.Person{Actor: "ana", Role: "lead"}), assignment(vigil.Assignment{Who: vigil.Who{Role: "lead"}, Store: "chat"})}, read(), assigned, assigned, 0},

		"on shift":              {[]vigil.Facts{shift(vigil.Shift{Who: ana, Duty: vigil.DutyShift, Period: during(-4, 4)})}, read(), reasons.OnShift, reasons.OnShift, 0},
		"off shift":             {[]vigil.Facts{shift(vigil.Shift{Who: ana, Duty: vigil.DutyShift, Period: during(2, 4)})}, read(), reasons.OnShift, 0, 0},
		"on call":               {[]vigil.Facts{shift(vigil.Shift{Who: ana, Duty: vigil.DutyOnCall, Period: during(-4, 4)})}, read(), reasons.OnCall, reasons.OnCall, 0},
		"absent":                {[]vigil.Facts{shift(vigil.Shift{Who: ana, Duty: vigil.DutyAbsent, Period: during(-4, 4)})}, read(), 0, 0, reasons.Absent},
		"back":                  {[]vigil.Facts{shift(vigil.Shift{Who: ana, Duty: vigil.DutyAbsent, Period: during(-4, 0)})}, read(), 0, 0, 0},
		"absent, but on call":   {[]vigil.Facts{shift(vigil.Shift{Who: ana, Duty: vigil.DutyAbsent, Period: during(-4, 4)}, vigil.Shift{Who: ana, Duty: vigil.DutyOnCall, Period: during(-4, 4)})}, read(), reasons.OnCall, reasons.OnCall, 0},
		"another's shift":       {[]vigil.Facts{shift(vigil.Shift{Who: vigil.Who{Actor: "bob"}, Duty: vigil.DutyShift, Period: during(-4, 4)})}, read(), 0, 0, 0},
		"change named":          {[]vigil.Facts{change(vigil.Change{ID: "chg1", Type: vigil.ChangeChange, Store: "chat", Period: during(-1, 1)})}, read(by(engineer), ticket("chg1")), approved, named | approved, 0},
		"change on other store": {[]vigil.Facts{change(vigil.Change{ID: "chg1", Type: vigil.ChangeChange, Store: "crm", Period: during(-1, 1)})}, read(by(engineer), ticket("chg1")), approved, named, 0},
		"change over":           {[]vigil.Facts{change(vigil.Change{ID: "chg1", Type: vigil.ChangeChange, Period: during(-9, -1)})}, read(by(engineer), ticket("chg1")), approved, named, 0},
		"change of the actor":   {[]vigil.Facts{change(vigil.Change{ID: "chg1", Type: vigil.ChangeChange, Who: vigil.Who{Role: "engineer"}, Period: during(-1, 1)})}, read(by(engineer)), approved, approved, 0},
		"another change named":  {[]vigil.Facts{change(vigil.Change{ID: "chg1", Type: vigil.ChangeChange, Who: vigil.Who{Role: "engineer"}, Period: during(-1, 1)})}, read(by(engineer), ticket("chg2")), approved, named, 0},
		"change of a colleague": {[]vigil.Facts{person(vigil.Person{Actor: "dan", Role: "engineer"}), change(vigil.Change{ID: "chg1", Type: vigil.ChangeChange, Who: vigil.Who{Actor: "dan"}})}, read(by(engineer)), approved, 0, 0},
		"no change for agents":  {[]vigil.Facts{change(vigil.Change{ID: "chg1", Type: vigil.ChangeChange, Who: vigil.Who{Role: "engineer"}})}, read(), 0, 0, 0},
		"deploy of everybody":   {[]vigil.Facts{change(vigil.Change{Type: vigil.ChangeDeploy, Store: "chat", Period: during(-1, 1)})}, read(), 0, reasons.Awaited, 0},
		"deploy elsewhere":      {[]vigil.Facts{change(vigil.Change{Type: vigil.ChangeDeploy, Store: "crm", Period: during(-1, 1)})}, read(), 0, 0, 0},
		"campaign of the team":  {[]vigil.Facts{change(vigil.Change{Type: vigil.ChangeEvent, Who: vigil.Who{Team: "emea"}, Period: during(-1, 1)})}, read(), approved, reasons.Awaited, 0},
		"break-glass":           {[]vigil.Facts{change(vigil.Change{ID: "bg", Type: vigil.ChangeBreakGlass, Who: vigil.Who{Actor: "eve"}, Period: during(-1, 1)})}, read(by(engineer)), approved, approved, 0},

		"declared":              {[]vigil.Facts{declared(vigil.Purpose{Who: ana, Purpose: "qa", PerDay: 5})}, read(purpose("qa")), reasons.Declared, named | reasons.Declared, 0},
		"declared, not named":   {[]vigil.Facts{declared(vigil.Purpose{Who: ana, Purpose: "qa"})}, read(), reasons.Declared, reasons.Declared, 0},
		"not declared":          {[]vigil.Facts{declared(vigil.Purpose{Who: ana, Purpose: "qa"})}, read(purpose("sales")), reasons.Declared, 0, reasons.NotDeclared},
		"declared by another":   {[]vigil.Facts{declared(vigil.Purpose{Who: vigil.Who{Actor: "bob"}, Purpose: "qa"})}, read(purpose("qa")), reasons.Declared, 0, reasons.NotDeclared},
		"declaration ran out":   {[]vigil.Facts{declared(vigil.Purpose{Who: ana, Purpose: "qa", Period: during(-9, -1)})}, read(purpose("qa")), reasons.Declared, 0, reasons.NotDeclared},
		"no purposes of others": {[]vigil.Facts{declared(vigil.Purpose{Who: vigil.Who{Actor: "bob"}, Purpose: "qa"})}, read(), 0, 0, 0},

		"contract":            {[]vigil.Facts{deal}, vendor(from("203.0.113.0/24"), country("DE")), reasons.Contracted, reasons.Contracted, 0},
		"contract by address": {[]vigil.Facts{deal}, vendor(from("198.51.100.0/24")), reasons.Contracted, reasons.Contracted, 0},
		"contract by number":  {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.ASN = "AS64500" }), reasons.Contracted, reasons.Contracted, 0},
		"contract's table":    {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.Resource = "cases" }), reasons.Contracted, 0, reasons.OutsideResource},
		"contract ended":      {[]vigil.Facts{deal}, vendor(when(at(24))), reasons.Contracted, 0, reasons.OutsideExpired},
		"outside resource":    {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.Resource = "users" }), reasons.Contracted, 0, reasons.OutsideResource},
		"outside store":       {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.Store = "crm" }), reasons.Contracted, 0, reasons.OutsideResource},
		"outside fields":      {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.Fields = []string{"text", "card"} }), reasons.Contracted, 0, reasons.OutsideFields},
		"outside action":      {[]vigil.Facts{deal}, vendor(doing(vigil.ActionExport)), reasons.Contracted, 0, reasons.OutsideAction},
		"login is no action":  {[]vigil.Facts{deal}, vendor(doing(vigil.ActionLogin)), reasons.Contracted, reasons.Contracted, 0},
		"outside hours":       {[]vigil.Facts{deal}, vendor(when(at(3))), reasons.Contracted, 0, reasons.OutsideHours},
		"outside network":     {[]vigil.Facts{deal}, vendor(from("192.0.2.0/24")), reasons.Contracted, 0, reasons.OutsideNetwork},
		"outside region":      {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.Destination = &vigil.Destination{Kind: "webhook", Region: "US"} }), reasons.Contracted, 0, reasons.OutsideRegion},
		"inside region":       {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.Destination = &vigil.Destination{Kind: "webhook", Region: "fr"} }), reasons.Contracted, reasons.Contracted, 0},
		"outside destination": {[]vigil.Facts{deal}, vendor(func(e *vigil.Event) { e.Destination = &vigil.Destination{Kind: "mail"} }), reasons.Contracted, 0, reasons.OutsideDestination},
		"no customer named":   {[]vigil.Facts{deal}, vendor(of()), reasons.Contracted, 0, reasons.OutsideCustomer},
		"a second contract": {[]vigil.Facts{deal, contract(vigil.Contract{ID: "b", Who: acme, Stores: []string{"crm"}})}, vendor(func(e *vigil.Event) { e.Store = "crm" }),
			reasons.Contracted, reasons.Contracted, 0},

		"own record":         {nil, read(func(e *vigil.Event) { e.Principal = "c1" }), 0, 0, 0},
		"own record, known":  {[]vigil.Facts{family}, read(func(e *vigil.Event) { e.Principal = "c1" }), 0, reasons.Own, 0},
		"the household's":    {[]vigil.Facts{family}, read(of("c1", "c2"), func(e *vigil.Event) { e.Principal = "c1" }), 0, reasons.Own, 0},
		"another's":          {[]vigil.Facts{family}, read(of("c1", "c7"), func(e *vigil.Event) { e.Principal = "c1" }), 0, 0, 0},
		"gone":               {[]vigil.Facts{person(vigil.Person{Actor: "ana", Notice: at(-9), Leaves: noon})}, read(), 0, 0, reasons.Left},
		"leaving":            {[]vigil.Facts{person(vigil.Person{Actor: "ana", Notice: at(-9), Leaves: at(9)})}, read(), 0, 0, reasons.Leaving},
		"before notice":      {[]vigil.Facts{person(vigil.Person{Actor: "ana", Notice: at(1)})}, read(), 0, 0, 0},
		"withdrawn":          {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Withdrawn: at(-1)})}, read(), 0, 0, reasons.Withdrawn},
		"withdrawn later":    {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Withdrawn: at(1)})}, read(), 0, 0, 0},
		"given again":        {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Withdrawn: at(-2), Given: at(-1)})}, read(), 0, 0, 0},
		"for a purpose":      {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Purpose: "training", Withdrawn: at(-1)})}, read(purpose("training")), 0, named, reasons.Withdrawn},
		"for another":        {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Purpose: "training", Withdrawn: at(-1)})}, read(purpose("support")), 0, named, 0},
		"erased":             {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Erased: at(-1)})}, read(of("c0", "c1")), 0, 0, reasons.Erased},
		"legal hold":         {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Erased: at(-1), Withdrawn: at(-1), LegalHold: true})}, read(), 0, 0, 0},
		"erased, refused":    {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Erased: at(-1)})}, read(func(e *vigil.Event) { e.Outcome = vigil.OutcomeDenied }), 0, 0, 0},
		"erased, written":    {[]vigil.Facts{consent(vigil.Consent{Subject: "c1", Erased: at(-1)})}, read(doing(vigil.ActionDelete)), 0, 0, 0},
		"foreign tenant":     {nil, read(by(vigil.Actor{ID: "ana", Tenant: "x"}), within("y")), 0, 0, reasons.ForeignTenant},
		"own tenant":         {nil, read(by(vigil.Actor{ID: "ana", Tenant: "x"}), within("x")), 0, 0, 0},
		"sent to the tenant": {[]vigil.Facts{assignment(vigil.Assignment{Who: ana, Subject: "c1"})}, read(by(vigil.Actor{ID: "ana", Tenant: "x"}), within("y")), assigned, assigned, 0},
		"customer elsewhere": {[]vigil.Facts{customer(vigil.Customer{Subject: "c1", Tenant: "y"})}, read(by(vigil.Actor{ID: "ana", Tenant: "x"})), 0, 0, reasons.ForeignTenant},
		"foreign region":     {[]vigil.Facts{customer(vigil.Customer{Subject: "c1", Region: "EU"})}, read(country("US")), 0, 0, reasons.ForeignRegion},
		"home region":        {[]vigil.Facts{customer(vigil.Customer{Subject: "c1", Region: "EU"})}, read(country("PT")), 0, 0, 0},
		"allowed region":     {[]vigil.Facts{customer(vigil.Customer{Subject: "c1", Region: "EU", Regions: []string{"us"}})}, read(country("US")), 0, 0, 0},
		"sent abroad":        {[]vigil.Facts{customer(vigil.Customer{Subject: "c1", Region: "EU"})}, read(func(e *vigil.Event) { e.Destination = &vigil.Destination{Region: "US"} }), 0, 0, reasons.ForeignRegion},
		"vip":                {[]vigil.Facts{customer(vigil.Customer{Subject: "c1", VIP: true})}, read(), 0, 0, reasons.VIP},
		"honey":              {[]vigil.Facts{honey(vigil.Honey{Subject: "c1"})}, read(), 0, 0, reasons.HoneyTouched},
		"honey, refused":     {[]vigil.Facts{honey(vigil.Honey{Subject: "c1"})}, read(func(e *vigil.Event) { e.Outcome = vigil.OutcomeDenied }), 0, 0, reasons.HoneyTouched},
		"honey not yet":      {[]vigil.Facts{honey(vigil.Honey{Subject: "c1", Period: during(1, 9)})}, read(), 0, 0, 0},
		"two shared":         {relatives, read(), 0, 0, reasons.Related},
		"surname alone":      {relatives, read(of("c2")), 0, 0, 0},
		"own household":      {relatives, read(of("c3")), 0, 0, reasons.Related},
		"colleague":          {relatives, read(of("c8")), 0, 0, reasons.Colleague},
		"self":               {relatives, read(of("c9")), 0, 0, reasons.Self},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := book(t, c.facts...).Check(c.event)
			got.Found &^= reasons.Particular | reasons.Metered // see TestStandingWorkIsNotCounted
			if got.Looked != c.looked || got.Found != c.found || got.Against != c.against {
				t.Errorf("looked %v, found %v, against %b\nwant %v, %v, %b", got.Looked.Words(), got.Found.Words(), got.Against,
					c.looked.Words(), c.found.Words(), c.against)
			}
		})
	}
}

// What covers all that somebody ever does says nothing about how much of it there may
// be.
func TestStandingWorkIsNotCounted(t *testing.T) {
	t.Parallel()
	ana := vigil.Who{Actor: "ana"}
	standing := vigil.Assignment{Who: ana, Store: "chat", Period: vigil.Period{From: at(-2000)}}
	task := vigil.Assignment{Who: ana, Store: "chat", Period: during(-24, 24)}
	contract := vigil.Facts{Feed: "legal", Kind: vigil.FactContract, Contracts: []vigil.Contract{{Who: ana, Stores: []string{"chat"}}}}
	declare := func(perDay int64) vigil.Facts {
		return vigil.Facts{Feed: "dpo", Kind: vigil.FactPurpose, Purposes: []vigil.Purpose{{Who: ana, Purpose: "qa", PerDay: perDay}}}
	}
	for name, c := range map[string]struct {
		facts vigil.Facts
		event *vigil.Event
		want  bool
	}{
		"a standing job":                    {assignment(standing), read(), false},
		"a task with its days":              {assignment(task), read(), true},
		"a customer":                        {assignment(vigil.Assignment{Who: ana, Subject: "c1"}), read(), true},
		"a ticket":                          {assignment(vigil.Assignment{Who: ana, Ticket: "T-1"}), read(ticket("T-1")), true},
		"a contract":                        {contract, read(), false},
		"a purpose with a quota":            {declare(30), read(purpose("qa")), true},
		"a purpose with a quota, not named": {declare(30), read(), false},
		"a purpose without a quota":         {declare(0), read(purpose("qa")), false},
	} {
		got := book(t, c.facts).Check(c.event).Found
		if !got.Justifies() || got.Counted() != c.want {
			t.Errorf("%s: found %v, justifies %v, counted %v", name, got.Words(), got.Justifies(), got.Counted())
		}
	}
}
