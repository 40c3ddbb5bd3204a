package detector

import (
	"fmt"
	"testing"
	"time"

	"vigil"
	"vigil/detector/reasons"
)

// A quota of two customers a day is used up by who names the purpose; what names none
// is covered as far, and is never told as read for another purpose.
func TestOnlyWhoNamesThePurposeUsesItsQuota(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	book := reasons.New(reasons.Limits{})
	book.Apply(vigil.Facts{Feed: "dpo", Kind: vigil.FactPurpose, Purposes: []vigil.Purpose{{Who: vigil.Who{Actor: "ana"}, Purpose: "qa", PerDay: 2}}})
	var q quotas
	check := func(purpose, customer string) reasons.Checked {
		e := vigil.NewEvent()
		e.Time, e.Action, e.Actor = at, vigil.ActionRead, vigil.Actor{ID: "ana", Kind: vigil.KindHuman}
		e.Purpose, e.Subjects = purpose, []string{customer}
		why := book.Check(e)
		q.count(e, &why)
		return why
	}
	for i, c := range []struct {
		purpose, customer string
		declared          bool
		against           reasons.Breach
	}{
		{"", "c1", true, 0}, {"", "c2", true, 0}, {"", "c3", false, 0}, {"", "c4", false, 0},
		{"qa", "c5", true, 0}, {"qa", "c6", true, 0}, {"qa", "c5", true, 0}, {"qa", "c7", false, reasons.NotDeclared},
		{"", "c8", false, 0}, {"training", "c1", false, reasons.NotDeclared},
	} {
		if i == 6 { // a restart forgets nothing
			st, err := q.state()
			if err != nil {
				t.Fatal(err)
			}
			if q, err = st.restore(); err != nil {
				t.Fatal(err)
			}
		}
		why := check(c.purpose, c.customer)
		if got := why.Found&reasons.Declared != 0; got != c.declared || why.Against != c.against {
			t.Errorf("%s, read for %q: declared %v and against it %b; want %v and %b", c.customer, c.purpose, got, why.Against, c.declared, c.against)
		}
	}
	at = at.AddDate(0, 0, 1)
	for i := range 3 {
		if got := check("", fmt.Sprint("c", i)).Found&reasons.Declared != 0; got != (i < 2) {
			t.Errorf("customer %d of the next day: declared %v", i, got)
		}
	}
}
