package vigil

import "time"

// About says what a finding is about.
type About string

// What findings can be about.
const (
	AboutActor   About = "actor"
	AboutNetwork About = "network"
	AboutTeam    About = "team"
	AboutSubject About = "subject"
	AboutSource  About = "source"
)

// Severity is the harm a finding may stand for, not its rarity.
type Severity string

// The severities, mildest first.
const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// Rank orders severities: 1 for low to 4 for critical, 0 for anything else.
func (s Severity) Rank() int {
	switch s {
	case SeverityLow:
		return 1
	case SeverityMedium:
		return 2
	case SeverityHigh:
		return 3
	case SeverityCritical:
		return 4
	}
	return 0
}

// FindingState is where a finding is in its life as the detector sees it.
type FindingState string

// The states of a finding.
const (
	StateOpen   FindingState = "open"
	StateClosed FindingState = "closed"
)

// Finding is a likely breach: who, when, how much evidence, and why.
//
// A finding is emitted when it opens and again, under the same ID and with a
// higher Revision, each time that it grows or closes. The JSON form is the
// public one.
type Finding struct {
	// ID is derived from what it is about and when it began, so that a replay
	// gives the same one.
	ID       string       `json:"id"`
	Revision int          `json:"revision"`
	State    FindingState `json:"state"`

	About     About     `json:"about"`
	Actor     string    `json:"actor,omitempty"`
	ActorKind ActorKind `json:"actor_kind,omitempty"`
	Role      string    `json:"role,omitempty"`
	Team      string    `json:"team,omitempty"`
	Tenant    string    `json:"tenant,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Source    string    `json:"source,omitempty"`
	Network   string    `json:"network,omitempty"`
	// Actors are those who took part in a finding that is not about one actor: a
	// customer's readers, those who came from a network; sorted, at most 50.
	Actors []string `json:"actors,omitempty"`
	// Sources are those of a finding about several that fell silent together, sorted,
	// at most 50; Source is the one that was missed first.
	Sources []string `json:"sources,omitempty"`

	// Start is when the evidence began, End the last event that counts in it,
	// Detected the event time at which the finding was declared.
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Detected time.Time `json:"detected"`

	Severity Severity `json:"severity"`
	// Rule names the deterministic rule that fired, empty for learnt evidence.
	Rule string `json:"rule,omitempty"`
	// Lane is the line of the budget that it crossed: an actor's "quarter", "day"
	// or "week", another thing's "subject", "network", "team" or "source", or
	// "rule".
	Lane string `json:"lane"`
	// Evidence is log10 of the e-detector's value at its peak; Threshold log10
	// of the line that the alert budget set when the finding was declared.
	Evidence  float64 `json:"evidence"`
	Threshold float64 `json:"threshold"`
	// Harm orders the queue: expected harm, larger first.
	Harm float64 `json:"harm"`

	// Sentence says in plain words who did what, how much, and how unusual it is.
	Sentence string `json:"sentence"`
	// Contributions are the terms of the evidence, largest first.
	Contributions []Contribution `json:"contributions"`
	// Counterfactual says what would have kept the finding from being declared.
	Counterfactual string `json:"counterfactual"`
	// NotJudged names what could not be judged because the source does not tell
	// it (for example "rows").
	NotJudged []string `json:"not_judged,omitempty"`

	// ReasonsLooked are the reasons for the reads that were looked for, such as
	// "assignment"; empty where no feed tells of any. Unreasoned is of how many
	// customers none was found. ReasonsMissing are the kinds of feed that could have
	// told a reason, and of which there is none.
	ReasonsLooked  []string `json:"reasons_looked,omitempty"`
	Unreasoned     int64    `json:"unreasoned,omitempty"`
	ReasonsMissing []string `json:"reasons_missing,omitempty"`

	// Subjects, Events and Rows count what the finding covers. Subjects and Rows
	// are Unknown (-1) when no source told. Events are those that showed data: none
	// of somebody who only writes or signs in.
	Subjects int64 `json:"subjects"`
	Events   int64 `json:"events"`
	Rows     int64 `json:"rows"`
	// Conversations counts the distinct conversations, Unknown when none is named.
	Conversations int64 `json:"conversations"`
	// SubjectIDs are the subjects that are known by id, sorted, at most MaxSubjects.
	SubjectIDs []string `json:"subject_ids,omitempty"`
	// Stores and Resources are what was touched, sorted; Networks from where. Classes
	// are the sensitivity classes of it, such as "chat" and "contact", as far as its
	// sources tell. At most 20 of each; empty for a finding about a customer, team or
	// source, and for one about a network all but Networks.
	Stores    []string `json:"stores,omitempty"`
	Resources []string `json:"resources,omitempty"`
	Networks  []string `json:"networks,omitempty"`
	Classes   []string `json:"classes,omitempty"`

	// Verdict is the analyst's word in force, nil for none. Triage is how likely a
	// breach it is. Both are added when a finding is shown: the detector sets neither.
	Verdict *Verdict `json:"verdict,omitempty"`
	Triage  *Triage  `json:"triage,omitempty"`
}

// Contribution is one term of a finding's evidence.
type Contribution struct {
	// Model is "volume", "novelty", "sequence", "affinity", "together", "forest" or
	// "rule"; Observation what was asked, such as "subjects", "network" or "order".
	Model       string `json:"model"`
	Observation string `json:"observation"`
	// Span is the observation's span: "quarter", "hour", "day", "week", "event".
	Span string `json:"span"`
	// SpanStart is when the most telling span began.
	SpanStart time.Time `json:"span_start"`
	// Frame is whose normal it is held against: "self", "peers", "everyone".
	Frame string `json:"frame"`
	// Seen is the count or size; Expected its expectation; Low and High the
	// bounds between which 98 of 100 such spans lie. For a category Seen is 1
	// and Expected the probability that was given to SeenLabel; for a pattern (see
	// Form) Seen and Expected are scores without a unit.
	Seen     float64 `json:"seen"`
	Expected float64 `json:"expected"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	// SeenLabel and ExpectedLabel are the category seen, and the usual ones.
	SeenLabel     string `json:"seen_label,omitempty"`
	ExpectedLabel string `json:"expected_label,omitempty"`
	// P is the calibrated p-value, E its e-value, Share its part (0 to 1) of the
	// finding's evidence.
	P     float64 `json:"p"`
	E     float64 `json:"e"`
	Share float64 `json:"share"`
	// Text says it in plain words.
	Text string `json:"text"`
}

// Form says how a contribution compares what was seen with what is usual, and so
// how it can be shown.
type Form string

// The forms.
const (
	// FormAmount is a count or a size, against what was expected of it.
	FormAmount Form = "amount"
	// FormValue is a category, such as a network, against the usual ones.
	FormValue Form = "value"
	// FormPattern is a score of how accesses follow each other or go together. Its
	// unit means nothing to a person: P says how rare it is, Text what it was.
	FormPattern Form = "pattern"
	// FormRule is what a rule allows, and what was done.
	FormRule Form = "rule"
)

// Form is the contribution's form. One of a model that is not known here is a
// value when it has a label, else an amount.
func (c *Contribution) Form() Form {
	switch c.Model {
	case "rule":
		return FormRule
	case "sequence", "affinity", "together", "forest":
		return FormPattern
	case "novelty":
		if c.Observation == "return" {
			return FormPattern
		}
		return FormValue
	}
	if c.SeenLabel != "" {
		return FormValue
	}
	return FormAmount
}
