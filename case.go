package vigil

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// CaseState is where a case is in people's hands.
type CaseState string

// The states of a case. A resolved one opens anew when something joins it that a
// verdict has not seen.
const (
	CaseNew          CaseState = "new"
	CaseAcknowledged CaseState = "acknowledged"
	CaseResolved     CaseState = "resolved"
)

// Bounds of a case.
const (
	// MaxCaseFindings bounds the findings that a case lists; Total counts all.
	MaxCaseFindings = 200
	// MaxCasePlaces bounds the stores and the sources that a case lists.
	MaxCasePlaces = 24
	// MaxSnooze is for how long a case may be left alone.
	MaxSnooze = 14 * 24 * time.Hour
)

// Case is what people work on: the findings about one thing that belong to one story,
// who has it, and what was done. It begins with a finding and grows with those that
// join it. People appear in it by pseudonyms.
type Case struct {
	// ID is derived from the first finding's, so that the same log gives the same one.
	ID string `json:"id"`
	// Revision grows by one with each change that people are to see.
	Revision int       `json:"revision"`
	State    CaseState `json:"state"`

	// Whom or what it is about, copied from its first finding.
	About     About     `json:"about"`
	Actor     string    `json:"actor,omitempty"`
	ActorKind ActorKind `json:"actor_kind,omitempty"`
	Role      string    `json:"role,omitempty"`
	Team      string    `json:"team,omitempty"`
	Tenant    string    `json:"tenant,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Source    string    `json:"source,omitempty"`
	Network   string    `json:"network,omitempty"`

	// Findings are the ids of its findings, the first one first, at most
	// MaxCaseFindings of Total. Lead is the gravest: it speaks for the case.
	Findings []string `json:"findings"`
	Total    int      `json:"total"`
	Lead     string   `json:"lead"`
	// Severity and Harm are the lead's. Open says that a finding of it still is.
	Severity Severity `json:"severity"`
	Harm     float64  `json:"harm"`
	Open     bool     `json:"open"`
	// Start and End bound its findings in event time; Opened is when it began by the
	// clock.
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Opened time.Time `json:"opened"`

	// Stores and Sources are those that its findings tell of, in the order in which they
	// came, at most MaxCasePlaces each.
	Stores  []string `json:"stores,omitempty"`
	Sources []string `json:"sources,omitempty"`

	// Touched says who changed it last, nil before anybody did. Joined is the revision
	// with which the latest finding joined it, 0 while it has but the first.
	Touched *Touch `json:"touched,omitempty"`
	Joined  int    `json:"joined,omitempty"`

	// Owner is who has it, empty for nobody.
	Owner string `json:"owner,omitempty"`
	// Acknowledged says who took note of it first, Aware who started the 72-hour clock
	// and when; both nil before.
	Acknowledged *Mark `json:"acknowledged,omitempty"`
	Aware        *Mark `json:"aware,omitempty"`
	// Snoozed is until when nothing of it is told unless it gets graver; SnoozedBy who
	// said so.
	Snoozed   time.Time `json:"snoozed,omitzero"`
	SnoozedBy string    `json:"snoozed_by,omitempty"`
	// Asked is the question to the person it is about, nil before.
	Asked *Asked `json:"asked,omitempty"`
	// Word is the verdict in force on its lead, empty for none.
	Word Word `json:"word,omitempty"`
	// Reminded counts the reminders, Escalated the levels of the rota that were called.
	Reminded  int `json:"reminded,omitempty"`
	Escalated int `json:"escalated,omitempty"`
	// Told names the channels that were given its card, sorted. Held says why none was:
	// empty when one was, or nobody has decided yet.
	Told []string   `json:"told,omitempty"`
	Held MuteReason `json:"held,omitempty"`
}

// MuteReason says why a case was not told by a message of its own. It is always in
// the console and in the digest.
type MuteReason string

// The reasons not to tell.
const (
	HeldSilence MuteReason = "silence" // somebody silenced what it is
	HeldSnooze  MuteReason = "snooze"  // somebody snoozed it
	HeldInhibit MuteReason = "inhibit" // a graver case about the same tells it
	HeldFlood   MuteReason = "flood"   // too many at once: the flood's own message counts it
	HeldRoute   MuteReason = "route"   // the route says that nobody is told
)

// Mark is that somebody did something, and when.
type Mark struct {
	By   string    `json:"by"`
	Time time.Time `json:"time"`
}

// Touch is that somebody changed a case: Revision is the one that came of it.
type Touch struct {
	Mark
	Revision int `json:"revision"`
}

// Asked is a question to the person whom a case is about: was this you, and why.
type Asked struct {
	Mark
	// To is the pseudonym of who was asked, as the channel knows them.
	To string `json:"to"`
	// Answered is when the answer came, zero before. Mine says that the person says that
	// it was them; Why is what they say.
	Answered time.Time `json:"answered,omitzero"`
	Mine     bool      `json:"mine,omitempty"`
	Why      string    `json:"why,omitempty"`
}

// NotificationPeriod is how long after it became aware of a breach a controller may
// take to notify the authority: Regulation (EU) 2016/679, article 33.
const NotificationPeriod = 72 * time.Hour

// Due is until when the authority is to be notified, zero before the clock started.
func (c *Case) Due() time.Time {
	if c.Aware == nil {
		return time.Time{}
	}
	return c.Aware.Time.Add(NotificationPeriod)
}

// Topic names what the case is about, the same for all cases about it.
func (c *Case) Topic() string {
	return topic(c.About, c.Tenant, c.Actor, c.Subject, c.Source, c.Network, c.Team)
}

// Topic names what the finding is about, as a case's Topic.
func (f *Finding) Topic() string {
	return topic(f.About, f.Tenant, f.Actor, f.Subject, f.Source, f.Network, f.Team)
}

func topic(about About, tenant, actor, subject, source, network, team string) string {
	thing := actor
	switch about {
	case AboutSubject:
		thing = subject
	case AboutSource:
		thing, tenant = source, ""
	case AboutNetwork:
		thing = network
	case AboutTeam:
		thing = team
	}
	return string(about) + "\x00" + tenant + "\x00" + thing
}

// OfPerson reports whether the case is about somebody who could be asked whether it was
// them, and not about a program or something else.
func (c *Case) OfPerson() bool {
	switch c.ActorKind {
	case KindService, KindBot, KindAnonymous:
		return false
	}
	return c.About == AboutActor && c.Actor != ""
}

// Concerns reports whether the case is about the actor of this pseudonym.
func (c *Case) Concerns(actor string) bool { return actor != "" && c.Actor == actor }

// Snoozing reports whether the case is left alone at t.
func (c *Case) Snoozing(t time.Time) bool { return t.Before(c.Snoozed) }

// CaseEvent is one line of a case's timeline.
type CaseEvent struct {
	// N numbers the events of all cases; filled in by the store.
	N    int64     `json:"n"`
	Case string    `json:"case"`
	Time time.Time `json:"time"`
	// By is the pseudonym of who did it, "vigil" for the program.
	By   string        `json:"by"`
	Kind CaseEventKind `json:"kind"`
	// Text says it in a few words; it names no person.
	Text string `json:"text,omitempty"`
}

// CaseEventKind says what happened to a case.
type CaseEventKind string

// The kinds of event in a case's timeline.
const (
	CaseOpened    CaseEventKind = "opened"
	CaseGrew      CaseEventKind = "grew"
	CaseJoined    CaseEventKind = "joined" // another finding
	CaseHeld      CaseEventKind = "held"   // not told, and why
	CaseTaken     CaseEventKind = "acknowledged"
	CaseAssigned  CaseEventKind = "assigned"
	CaseSnoozed   CaseEventKind = "snoozed"
	CaseJudged    CaseEventKind = "verdict"
	CaseExcepted  CaseEventKind = "exception"
	CaseAsked     CaseEventKind = "asked"
	CaseAnswered  CaseEventKind = "answered"
	CaseAware     CaseEventKind = "aware"
	CaseNotified  CaseEventKind = "notified" // the authority, of the breach
	CaseReminded  CaseEventKind = "reminded"
	CaseEscalated CaseEventKind = "escalated"
	CaseNoted     CaseEventKind = "note"
	CaseQuiet     CaseEventKind = "quiet" // none of its findings is open any more
	CaseEnded     CaseEventKind = "resolved"
	CaseReopened  CaseEventKind = "reopened"
)

// MaxSilence is for how long a silence may hold.
const MaxSilence = 30 * 24 * time.Hour

// Silence keeps messages back, for a time, of what it matches. Detection goes on, and
// what was kept back is in the console and in the digest. It never matches critical
// findings unless it says so.
type Silence struct {
	ID string `json:"id"`
	// By is the pseudonym of its owner, Note the reason, Time when it was made.
	By   string    `json:"by"`
	Note string    `json:"note"`
	Time time.Time `json:"time"`
	// Match says of what. It must say something.
	Match Match `json:"match"`
	// From and To bound it, by the clock.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Ended says that it was ended by hand, EndedBy by whom.
	Ended   bool   `json:"ended,omitempty"`
	EndedBy string `json:"ended_by,omitempty"`
}

// Holds reports whether the silence holds at t.
func (s *Silence) Holds(t time.Time) bool {
	return !s.Ended && !t.Before(s.From) && t.Before(s.To)
}

// Clean gives the silence the form in which it is kept, or says what is wrong.
func (s *Silence) Clean() error {
	if s.By = plain(s.By, MaxBy); s.By == "" {
		return errors.New("nobody is named who makes the silence")
	}
	if s.Note = plain(s.Note, MaxNote); s.Note == "" {
		return errors.New("the silence gives no reason: say why in a sentence")
	}
	s.Time, s.From, s.To = s.Time.UTC().Round(0), s.From.UTC().Round(0), s.To.UTC().Round(0)
	switch {
	case s.ID == "":
		return errors.New("the silence has no id")
	case !s.To.After(s.From):
		return errors.New("the silence has no time in which it holds")
	case s.To.Sub(s.From) > MaxSilence:
		return fmt.Errorf("the silence holds for %d days, at most %d", s.To.Sub(s.From)/(24*time.Hour), MaxSilence/(24*time.Hour))
	}
	return s.Match.Clean()
}

// Match says which findings something is for: of what it names, all must fit, and of
// a list one.
type Match struct {
	// MinSeverity and MaxSeverity bound the severity, both included; empty for no bound.
	MinSeverity Severity `json:"min_severity,omitempty" yaml:"min_severity"`
	MaxSeverity Severity `json:"max_severity,omitempty" yaml:"max_severity"`
	// About lists what the finding may be about.
	About []About `json:"about,omitempty" yaml:"about"`
	// Scenarios are lanes ("day", "rule") and names of rules ("honey-record").
	Scenarios []string `json:"scenarios,omitempty" yaml:"scenarios"`
	Stores    []string `json:"stores,omitempty" yaml:"stores"`
	Sources   []string `json:"sources,omitempty" yaml:"sources"`
	Tenants   []string `json:"tenants,omitempty" yaml:"tenants"`
	Teams     []string `json:"teams,omitempty" yaml:"teams"`
	Roles     []string `json:"roles,omitempty" yaml:"roles"`
	// Actors are pseudonyms.
	Actors []string `json:"actors,omitempty" yaml:"actors"`
}

// maxMatch bounds each list of a Match.
const maxMatch = 100

// Empty reports whether it names nothing, and so fits everything.
func (m *Match) Empty() bool {
	return m.MinSeverity == "" && m.MaxSeverity == "" &&
		len(m.About)+len(m.Scenarios)+len(m.Stores)+len(m.Sources)+len(m.Tenants)+len(m.Teams)+len(m.Roles)+len(m.Actors) == 0
}

// Clean says what is wrong with a match of a silence, which must name something.
func (m *Match) Clean() error {
	if m.Empty() {
		return errors.New("nothing is named that it is for: name an actor, a source, a store, a scenario or a severity")
	}
	for _, s := range []Severity{m.MinSeverity, m.MaxSeverity} {
		if s != "" && s.Rank() == 0 {
			return fmt.Errorf("%q is no severity; say low, medium, high or critical", s)
		}
	}
	for _, a := range m.About {
		switch a {
		case AboutActor, AboutNetwork, AboutTeam, AboutSubject, AboutSource:
		default:
			return fmt.Errorf("%q is nothing that a finding is about; say actor, network, team, subject or source", a)
		}
	}
	for _, l := range [][]string{m.Scenarios, m.Stores, m.Sources, m.Tenants, m.Teams, m.Roles, m.Actors} {
		if len(l) > maxMatch {
			return fmt.Errorf("more than %d names are listed", maxMatch)
		}
	}
	return nil
}

// Fits reports whether the match is for a finding.
func (m *Match) Fits(f *Finding) bool {
	if m.MinSeverity != "" && f.Severity.Rank() < m.MinSeverity.Rank() || m.MaxSeverity != "" && f.Severity.Rank() > m.MaxSeverity.Rank() {
		return false
	}
	one := func(list []string, have ...string) bool {
		return len(list) == 0 || slices.ContainsFunc(have, func(h string) bool { return h != "" && slices.Contains(list, h) })
	}
	return (len(m.About) == 0 || slices.Contains(m.About, f.About)) &&
		one(m.Scenarios, f.Lane, f.Rule) && one(m.Stores, f.Stores...) &&
		one(m.Sources, append([]string{f.Source}, f.Sources...)...) && one(m.Tenants, f.Tenant) &&
		one(m.Teams, f.Team) && one(m.Roles, f.Role) && one(m.Actors, f.Actor)
}
