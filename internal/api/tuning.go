package api

import (
	"context"
	"time"

	"vigil"
)

// BudgetProposal is another alert budget that somebody proposed and nobody has confirmed.
type BudgetProposal struct {
	ID string `json:"id"`
	// PerDay is the false findings a day, zero for the default; Own is false for a return
	// to what the configuration says.
	PerDay float64   `json:"per_day"`
	Own    bool      `json:"own"`
	By     string    `json:"by"` // a pseudonym
	Why    string    `json:"why"`
	Time   time.Time `json:"time"`
}

// SettingVersion is a setting of the detector that was in force from a place of the log on.
type SettingVersion struct {
	// N numbers the versions from 1, the oldest that is known.
	N int `json:"n"`
	// From is the first entry of the log that it judges, Time when it came into force.
	From uint64    `json:"from"`
	Time time.Time `json:"time"`
	// Budget is the one in force, Rules all rules that were known.
	Budget vigil.BudgetChange `json:"budget"`
	Rules  []vigil.RuleMark   `json:"rules"`
	// BudgetChanged says that it differs from the version before in its budget; Changed is
	// how its rules differ, nil where they don't.
	BudgetChanged bool               `json:"budget_changed,omitempty"`
	Changed       *vigil.RulesChange `json:"rules_changed,omitempty"`
}

// WordCount counts what people said of findings of one sort.
type WordCount struct {
	// By is "lane", "model" or "month", Name which of them.
	By   string `json:"by"`
	Name string `json:"name"`
	// Bad are breaches and misuse.
	Bad      int `json:"bad"`
	Expected int `json:"expected"`
	Unknown  int `json:"unknown"`
}

// TriageStanding is how well triage tells breaches from what is none, of findings that it
// had not learnt from.
type TriageStanding struct {
	Known bool   `json:"known"`
	Why   string `json:"why,omitempty"` // what is lacking
	// AUC is the probability that a breach is ranked before what is none; Brier the mean
	// squared error of what it says, 0 to 1.
	AUC   float64     `json:"auc,omitempty"`
	Brier float64     `json:"brier,omitempty"`
	Parts []Predicted `json:"parts,omitempty"`
}

// Predicted is a part of what triage said: the mean probability, the share that came true,
// of N.
type Predicted struct {
	Said float64 `json:"said"`
	Was  float64 `json:"was"`
	N    int     `json:"n"`
}

// TuningView is what can be tuned, and what is known of how it does.
type TuningView struct {
	// Budget is the false findings a day in force, the default counted out; Asked is what
	// was asked for, zero for the default. File is what the configuration says.
	Budget float64 `json:"budget"`
	Asked  float64 `json:"asked"`
	File   float64 `json:"file"`
	// Since is the change that brought the budget in force.
	Since vigil.BudgetChange `json:"since"`
	// Proposal waits for a second person; nil where none does. Revision changes with it.
	Proposal *BudgetProposal `json:"proposal,omitempty"`
	Revision int             `json:"revision"`
	Lanes    []Lane          `json:"lanes"`
	// Versions are the settings that were in force, the newest first.
	Versions []SettingVersion `json:"versions"`
	Words    []WordCount      `json:"words"`
	Triage   TriageStanding   `json:"triage"`
	// Exceptions is how many hold.
	Exceptions int `json:"exceptions"`
}

// BudgetProposing proposes another alert budget.
type BudgetProposing struct {
	PerDay float64 `json:"per_day"`
	// File proposes to return to what the configuration says; PerDay counts not then.
	File bool   `json:"file,omitempty"`
	Why  string `json:"why"`
	// Seen is the revision that who proposes has seen, Key names the deed.
	Seen int    `json:"seen"`
	Key  string `json:"key,omitempty"`
}

// BudgetAnswering answers a proposal.
type BudgetAnswering struct {
	ID string `json:"id"`
	// Confirm brings it into force, else it is withdrawn.
	Confirm bool   `json:"confirm"`
	Key     string `json:"key,omitempty"`
}

// Tuner shows what can be tuned, and changes it: somebody proposes, another person
// confirms. Each deed and each look is in the audit log before it happens. The errors wrap
// ErrStale where somebody else was first, and ErrRefused for what can't be done.
type Tuner interface {
	Tuning(ctx context.Context) (TuningView, error)
	ProposeBudget(ctx context.Context, p BudgetProposing) error
	AnswerBudget(ctx context.Context, a BudgetAnswering) error
}
