package api

import (
	"context"
	"time"

	"vigil"
)

// ProposedBudget is an alert budget that is proposed.
type ProposedBudget struct {
	// PerDay is the false findings a day, zero for the default; Own is false for a return to
	// what the configuration says.
	PerDay float64 `json:"per_day"`
	Own    bool    `json:"own"`
}

// ProposedRules are rules that are proposed: how they differ from those in force.
type ProposedRules struct {
	// Own is false for a return to the files that the configuration names.
	Own bool `json:"own"`
	// Added, Changed and Removed are ids.
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// Proposal is another setting that somebody proposed and nobody has confirmed.
type Proposal struct {
	ID   string    `json:"id"`
	By   string    `json:"by"` // a pseudonym
	Why  string    `json:"why"`
	Time time.Time `json:"time"`
	// Budget and Rules are what changes; nil for what stays as it is.
	Budget *ProposedBudget `json:"budget,omitempty"`
	Rules  *ProposedRules  `json:"rules,omitempty"`
	// Version is the version that it goes back to, Replay the back-test that it takes into
	// force; zero and empty for neither.
	Version int    `json:"version,omitempty"`
	Replay  string `json:"replay,omitempty"`
}

// SettingVersion is a setting of the detector that was in force from a place of the log on.
type SettingVersion struct {
	// N numbers the versions from 1, the oldest that is known.
	N int `json:"n"`
	// From is the first entry of the log that it judges, Time when it came into force.
	From uint64    `json:"from"`
	Time time.Time `json:"time"`
	// Budget is the one in force, Rules all rules that were known; a list leaves them out.
	Budget vigil.BudgetChange `json:"budget"`
	Rules  []vigil.RuleMark   `json:"rules,omitempty"`
	// BudgetChanged says that it differs from the version before in its budget; Changed is
	// how its rules differ, nil where they don't. A list leaves its Rules out.
	BudgetChanged bool               `json:"budget_changed,omitempty"`
	Changed       *vigil.RulesChange `json:"rules_changed,omitempty"`
}

// RuleStep says how a rule differs between two versions.
type RuleStep string

// The steps.
const (
	RuleAdded       RuleStep = "added"
	RuleChanged     RuleStep = "changed"
	RuleRemoved     RuleStep = "removed"
	RuleSwitchedOn  RuleStep = "switched on"
	RuleSwitchedOff RuleStep = "switched off"
)

// RuleDifference is a rule that differs between two versions.
type RuleDifference struct {
	ID   string   `json:"id"`
	Step RuleStep `json:"step"`
	// Before and After name its text, nil where there was none.
	Before *vigil.RuleMark `json:"before,omitempty"`
	After  *vigil.RuleMark `json:"after,omitempty"`
	// Lines are those that differ, with some around them, each with "+", "-" or " " before
	// it, or "…" alone for lines that are left out. Unkept says that a text of the two is not
	// kept any more, so that there are none.
	Lines  []string `json:"lines,omitempty"`
	Unkept bool     `json:"unkept,omitempty"`
}

// VersionDifference is what differs from one version to another.
type VersionDifference struct {
	From SettingVersion `json:"from"`
	To   SettingVersion `json:"to"`
	// Budget says that the budgets differ, Rules which rules do.
	Budget bool             `json:"budget"`
	Rules  []RuleDifference `json:"rules"`
	// NoBudget and NoRules say in a sentence why the budget, or the rules, of To can't be
	// brought back; empty where they can.
	NoBudget string `json:"no_budget,omitempty"`
	NoRules  string `json:"no_rules,omitempty"`
	// Newest is the number of the version in force, Revision and Proposal are as in a
	// TuningView.
	Newest   int       `json:"newest"`
	Revision int       `json:"revision"`
	Proposal *Proposal `json:"proposal,omitempty"`
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
	// Stale says that something was said since, and it is being measured anew.
	Stale bool `json:"stale,omitempty"`
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
	Rules RulesStanding      `json:"rules"`
	// Proposal waits for a second person; nil where none does. Revision changes with it.
	Proposal *Proposal `json:"proposal,omitempty"`
	Revision int       `json:"revision"`
	Lanes    []Lane    `json:"lanes"`
	// Versions are the settings that were in force, the newest first.
	Versions []SettingVersion `json:"versions"`
	Words    []WordCount      `json:"words"`
	Triage   TriageStanding   `json:"triage"`
	// Exceptions is how many hold.
	Exceptions int `json:"exceptions"`
	// Previews is when previews are made by themselves, "off" for never. Left says in a
	// sentence why the last one was left out; empty where it was not.
	Previews string `json:"previews"`
	Left     string `json:"left,omitempty"`
}

// RulesStanding is which rules judge.
type RulesStanding struct {
	// N is how many there are, Off how many of them their files switch off.
	N   int `json:"n"`
	Off int `json:"off"`
	// Own says that two people agreed on them: ID names their decision, By proposed and
	// Confirmed confirmed it.
	Own       bool      `json:"own"`
	ID        string    `json:"id,omitempty"`
	By        string    `json:"by,omitempty"`
	Confirmed string    `json:"confirmed,omitempty"`
	Why       string    `json:"why,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	// Unkept says in a sentence why the configuration's judge although two people agreed on
	// others; empty where that is not so.
	Unkept string `json:"unkept,omitempty"`
	// Files is how the rules that the configuration names differ from them, nil where they
	// don't.
	Files *ProposedRules `json:"files,omitempty"`
}

// Part is a part of a setting.
type Part string

// The parts.
const (
	PartBudget Part = "budget"
	PartRules  Part = "rules"
)

// Proposing proposes another setting: exactly one of PerDay, Configuration, Version and
// Replay says which.
type Proposing struct {
	// PerDay is another alert budget, in false findings a day, zero for the default.
	PerDay *float64 `json:"per_day,omitempty"`
	// Configuration returns to what the configuration says.
	Configuration bool `json:"configuration,omitempty"`
	// Version goes back to what an older version held.
	Version int `json:"version,omitempty"`
	// Replay takes into force what a back-test has tried; Report is which of its reports,
	// from 0 on.
	Replay string `json:"replay,omitempty"`
	Report int    `json:"report,omitempty"`
	// Only leaves the other parts of the setting as they are; empty for none.
	Only Part `json:"only,omitempty"`
	// Why is the reason, in a sentence.
	Why string `json:"why"`
	// Seen is the revision that who proposes has seen, Key names the deed.
	Seen int    `json:"-"`
	Key  string `json:"-"`
}

// Answering answers a proposal.
type Answering struct {
	ID string
	// Confirm brings it into force, else it is withdrawn.
	Confirm bool
}

// AnyRevision is a Seen that fits whatever was proposed meanwhile.
const AnyRevision = -1

// Tuner shows what can be tuned, and changes it: somebody proposes, another person
// confirms. Each deed and each look is in the audit log before it happens. The errors wrap
// ErrStale where somebody else was first, ErrRefused for what can't be done, and ErrNotFound
// for a version that is not there.
type Tuner interface {
	Tuning(ctx context.Context) (TuningView, error)
	// Difference tells what differs from one version to another; from 0 is the one in force,
	// to 0 the one before that.
	Difference(ctx context.Context, from, to int) (VersionDifference, error)
	Propose(ctx context.Context, p Proposing) (Proposal, error)
	Answer(ctx context.Context, a Answering) error
}
