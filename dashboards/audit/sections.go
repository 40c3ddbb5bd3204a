package audit

import (
	"time"

	"vigil"
)

// Coverage is what was not seen, and could not have been.
type Coverage struct {
	Sources []Source
	Lapses  []Lapse
	// MoreLapses are left out.
	MoreLapses int
	// Absences are times in which vigil itself did not listen.
	Absences []vigil.Period
	// Silences are the findings about sources.
	Silences []Finding
	Feeds    []Feed
	// Missing are the kinds of feed of which none tells anything.
	Missing []vigil.FactKind
	// Blind is the blind-spot meter: one row for each kind of breach in the catalogue.
	Blind  []Blind
	Sample Sample
}

// Source is one source in the period.
type Source struct {
	Name string
	// Events came in, ByDay on each day of the period; SetAside could not be read since
	// the source is known.
	Events, SetAside int64
	ByDay            []int64
	// Empty counts the whole days on which nothing came, of those on which vigil was
	// there.
	Empty int
	Last  time.Time
}

// Lapse is something that a collector saw of its source.
type Lapse struct {
	Source, Kind, Text string
	Start, End         time.Time
	Missing            int64
}

// Feed is how a feed stands.
type Feed struct {
	Name, Kind, Trouble string
	Records             int
}

// Blind is what the meter says of one kind of breach.
type Blind struct {
	Row, Name, Sight, By, Mend string
}

// The sights of a Blind row.
const (
	SightSeen   = "seen"
	SightPartly = "partly"
	SightBlind  = "blind"
)

// Findings is what was found and how it ended.
type Findings struct {
	Total int
	// Severities and Scenarios count findings and the words about them.
	Severities, Scenarios []Outcomes
	// List is the gravest; More are left out.
	List []Finding
	More int
	// ToVerdict is the median time from detection to the verdict, of Judged findings
	// whose verdict came after it; ToAcknowledge, of Acknowledged cases, from opening.
	ToVerdict     time.Duration
	Judged        int
	ToAcknowledge time.Duration
	Acknowledged  int
	// Cases counts the cases that were opened; nil where none are kept.
	Cases      *Cases
	Exceptions []Exception
	Silences   []Silence
	// Asked is the alert budget in false findings a day, zero where it is not known; Spent
	// are the findings that count against it, Wrong those that were expected.
	Asked        float64
	Spent, Wrong int
	Days         float64
}

// Outcomes counts the findings of one kind by the word about them.
type Outcomes struct {
	Name                                               string
	Total, Breach, Misuse, Expected, Unknown, Unjudged int
}

// Cases counts cases by where they are.
type Cases struct {
	Total, New, Acknowledged, Resolved int
	// Held were not told by a message of their own, Late notified past 72 hours.
	Held int
	// Aware are those of which the 72-hour clock was started.
	Aware int
}

// Exception is one that was made, ended or is about to end.
type Exception struct {
	ID, By, Scope, State string
	// Who it holds for, Made when, and until when it holds.
	Who      string
	Made, To time.Time
	Note     string
}

// Silence keeps messages back for a while.
type Silence struct {
	ID, By, What, State, Note string
	Made, To                  time.Time
}

// Watcher is what was done and looked at in vigil itself.
type Watcher struct {
	// Records are all of the audit log, Head its newest hash as hexadecimal digits;
	// Broken says where the chain breaks, empty when it is whole.
	Records uint64
	Head    string
	Broken  string
	// Deeds count what was done in the period.
	Deeds []Deed
	// Settings are the changes of the configuration, Rules those of rules.
	Settings []Change
	Rules    []Change
	More     int
}

// Deed is something that was done, by whom in general, and how often. Things is on how
// many different things.
type Deed struct {
	What, By      string
	Times, Things int64
}

// Change is one change of how vigil works.
type Change struct {
	Time time.Time
	By   string
	What string
}

// Add counts a finding about which a word was said, or none.
func (o *Outcomes) Add(w vigil.Word) {
	o.Total++
	switch w {
	case vigil.WordBreach:
		o.Breach++
	case vigil.WordMisuse:
		o.Misuse++
	case vigil.WordExpected:
		o.Expected++
	case vigil.WordUnknown:
		o.Unknown++
	default:
		o.Unjudged++
	}
}
