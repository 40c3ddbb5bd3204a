package vigil

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ControlBudget is the type of the control records that hold a [BudgetChange].
const ControlBudget = "budget"

// MaxBudget bounds the alert budget, in false findings a day.
const MaxBudget = 10_000

// BudgetChange says that from its place in the log on another alert budget holds. The
// detector takes it from there, so that who judges the log again gets the same findings.
type BudgetChange struct {
	// ID names the change where people made it; empty where the configuration did.
	ID   string    `json:"id,omitempty"`
	Time time.Time `json:"time"`
	// PerDay is the false findings a day that people accept; zero means the default.
	PerDay float64 `json:"per_day"`
	// Own says that people set it: it holds until they set another or return to the
	// configuration's, whatever that says meanwhile.
	Own bool `json:"own,omitempty"`
	// By is the pseudonym of who proposed it, Confirmed that of who confirmed it, and Why
	// what they remarked. All are empty where the configuration changed.
	By        string `json:"by,omitempty"`
	Confirmed string `json:"confirmed,omitempty"`
	Why       string `json:"why,omitempty"`
}

// Clean gives the change the form in which it is kept, or says what is wrong.
func (b *BudgetChange) Clean() error {
	b.By, b.Confirmed, b.Why = plain(b.By, MaxBy), plain(b.Confirmed, MaxBy), plain(b.Why, MaxNote)
	b.Time = b.Time.UTC().Round(0)
	return b.Check()
}

// Check says what is wrong with the record, nil when nothing is.
func (b *BudgetChange) Check() error {
	switch {
	case b.Time.IsZero():
		return errors.New("the time of the change is missing")
	case math.IsNaN(b.PerDay) || b.PerDay < 0 || b.PerDay > MaxBudget:
		return fmt.Errorf("a budget of %g a day is none: say 0 for the default, or up to %d", b.PerDay, MaxBudget)
	case b.Own && (b.By == "" || b.Confirmed == ""):
		return errors.New("a budget that people set names who proposed and who confirmed it")
	case b.By != "" && b.By == b.Confirmed:
		return errors.New("who proposes a budget does not confirm it")
	}
	return nil
}
