package api

import (
	"context"
	"time"

	"vigil"
)

// ReplayChange says how a finding differs between what was live and history judged again.
type ReplayChange string

// The changes.
const (
	ReplaySame    ReplayChange = "same"
	ReplayEarlier ReplayChange = "earlier" // found earlier than live
	ReplayLater   ReplayChange = "later"
	ReplayNew     ReplayChange = "new" // not found live
	ReplayGone    ReplayChange = "gone"
)

// ReplayFinding is what of a finding stands in a comparison.
type ReplayFinding struct {
	ID       string         `json:"id"`
	About    vigil.About    `json:"about"`
	Who      string         `json:"who"` // the pseudonym or name of what it is about
	Tenant   string         `json:"tenant,omitempty"`
	Actors   []string       `json:"actors,omitempty"` // those who took part, at most 50
	Lane     string         `json:"lane"`
	Rule     string         `json:"rule,omitempty"`
	Severity vigil.Severity `json:"severity"`
	Start    time.Time      `json:"start"`
	Detected time.Time      `json:"detected"`
	// Evidence and Threshold are log10, as in a vigil.Finding.
	Evidence  float64 `json:"evidence"`
	Threshold float64 `json:"threshold"`
	Sentence  string  `json:"sentence"`
}

// ReplayDifference is one finding, as it was live and as it is judged again; one of the
// two is nil where it is new or gone.
type ReplayDifference struct {
	Change ReplayChange   `json:"change"`
	Live   *ReplayFinding `json:"live,omitempty"`
	Again  *ReplayFinding `json:"again,omitempty"`
	// Seconds is by how much it is found later, negative for earlier.
	Seconds float64 `json:"seconds,omitempty"`
	// Word is what people said of it, empty for nothing. Of one that is new it is what
	// they said of another finding that tells of the same at the same time.
	Word vigil.Word `json:"word,omitempty"`
}

// ReplayCounts counts findings of one sort: Live and Again are how many there are, the
// rest how they differ.
type ReplayCounts struct {
	Live    int `json:"live"`
	Again   int `json:"again"`
	Same    int `json:"same"`
	Earlier int `json:"earlier"`
	Later   int `json:"later"`
	New     int `json:"new"`
	Gone    int `json:"gone"`
}

// Differ is how many differ.
func (c ReplayCounts) Differ() int { return c.Earlier + c.Later + c.New + c.Gone }

// ReplayLane counts the findings of one lane.
type ReplayLane struct {
	Lane  string `json:"lane"`
	Live  int    `json:"live"`
	Again int    `json:"again"`
}

// ReplayDay counts the findings that were declared on a day (UTC). Live and Again leave out
// those of rules: no budget holds rules back.
type ReplayDay struct {
	Day   time.Time `json:"day"`
	Live  int       `json:"live"`
	Again int       `json:"again"`
}

// ReplayModelSteps is how many bounds of a ReplayModel make a decade.
const ReplayModelSteps = 4

// ReplayModel is how well the p-values of one model are calibrated: on quiet traffic as
// many lie below a bound as the bound says. The n-th bound is ten to the power of
// -n/ReplayModelSteps. What people said to be a breach or misuse is left out, and so is
// what was judged while vigil still learnt.
type ReplayModel struct {
	Model string `json:"model"`
	// Answers is how many p-values there were, one for each question about each span of an
	// actor; Below is how many of them lie at or below each bound.
	Answers int64   `json:"answers"`
	Below   []int64 `json:"below"`
	// Scored is how many answers are a probability by the model itself, and Scores how many
	// of those lay at or below each bound before they were ranked among what came before.
	Scored int64   `json:"scored"`
	Scores []int64 `json:"scores"`
}

// ReplayReport is what came of judging recorded history again.
type ReplayReport struct {
	// From and To bound when the compared findings were declared, the second excluded.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Began is the first event that was learnt from, zero without any; Events is how many
	// were judged.
	Began  time.Time `json:"began,omitzero"`
	Events int64     `json:"events"`
	// Changed says that it was judged with another setting than the live one. Used are
	// the settings that differ and were tried, Unused those that differ and can't change
	// what recorded events say.
	Changed bool     `json:"changed"`
	Used    []string `json:"used,omitempty"`
	Unused  []string `json:"unused,omitempty"`
	// Budget is the false findings a day by which it was judged again.
	Budget float64 `json:"budget"`
	// All counts all findings; Breaches those that people said to be a breach or misuse,
	// Expected those that they said to be expected, Unjudged those of which they said
	// neither.
	All      ReplayCounts `json:"all"`
	Breaches ReplayCounts `json:"breaches"`
	Expected ReplayCounts `json:"expected"`
	Unjudged ReplayCounts `json:"unjudged"`
	Lanes    []ReplayLane `json:"lanes"`
	// Models are those that were asked anything, sorted by name.
	Models []ReplayModel `json:"models,omitempty"`
	Days   []ReplayDay   `json:"days"`
	// Differences are the findings that differ, those with a word first, and then the most
	// severe; More is how many further ones there are.
	Differences []ReplayDifference `json:"differences"`
	More        int                `json:"more,omitempty"`
	// Warnings say what a reader must know before trusting it.
	Warnings []string `json:"warnings,omitempty"`
}

// PreviewFactors are the budgets that a preview tries, as parts of the budget in force, those
// first that say most.
func PreviewFactors() []float64 { return []float64{1, 2, 0.5, 4, 0.25, 10} }

// MaxReplayBudgets bounds the budgets that one back-test tries.
const MaxReplayBudgets = 8

// ReplayAsk asks the service for a back-test.
type ReplayAsk struct {
	// From and To bound when the compared findings were declared, the second excluded. Zero
	// means up to the newest event, and 30 days before To.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Budgets are tried one after the other, in false findings a day; none means the one
	// that was live.
	Budgets []float64 `json:"budgets,omitempty"`
	// Without are ids of rules that are left out.
	Without []string `json:"without,omitempty"`
	// Rule is the text of a rule's file, at most MaxRuleText bytes. Where it is given,
	// nothing is judged again: what the rule alone would have told is counted, see
	// RulePreview, and Budgets and Without stay empty.
	Rule string `json:"rule,omitempty"`
	// Proposal is the id of a proposal that waits: its setting is tried, and Budgets, Without
	// and Rule stay empty.
	Proposal string `json:"proposal,omitempty"`
	// Key names the deed, so that what is asked for twice is done once; empty for none.
	Key string `json:"key,omitempty"`
}

// MaxRuleText bounds the text of a rule that is tried, in bytes.
const MaxRuleText = 64 << 10

// ReplayState is how far a back-test is.
type ReplayState string

// The states of a back-test.
const (
	ReplayRunning ReplayState = "running"
	ReplayDone    ReplayState = "done"
	ReplayFailed  ReplayState = "failed"
	ReplayStopped ReplayState = "stopped" // by somebody, or since the service stopped
)

// Replay is a back-test that the service makes or has made.
type Replay struct {
	ID    string      `json:"id"`
	Ask   ReplayAsk   `json:"ask"`
	State ReplayState `json:"state"`
	// By is the pseudonym of who asked, Asked when, and Ended when it was over.
	By    string    `json:"by"`
	Asked time.Time `json:"asked"`
	Ended time.Time `json:"ended,omitzero"`
	// Done is how much is done, 0 to 1.
	Done float64 `json:"done"`
	// Error is why it failed, empty where it did not.
	Error string `json:"error,omitempty"`
	// Reports are what came of it: one for each budget. A list leaves them out.
	Reports []ReplayReport `json:"reports,omitempty"`
	// Preview is what a rule would have told, where one was tried. A list leaves it out.
	Preview *RulePreview `json:"preview,omitempty"`
}

// Replayer makes back-tests, one at a time, and keeps the latest. Each deed and each look
// is in the audit log before it happens. The errors wrap ErrNotFound for what is not there
// and ErrRefused for what can't be done.
type Replayer interface {
	StartReplay(ctx context.Context, ask ReplayAsk) (Replay, error)
	// Replays lists those that are kept, the newest first, without their reports.
	Replays(ctx context.Context) ([]Replay, error)
	Replay(ctx context.Context, id string) (Replay, error)
	// StopReplay stops one that runs; one that is over stays as it is.
	StopReplay(ctx context.Context, id string) error
}
