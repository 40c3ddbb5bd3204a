package pack

import (
	"cmp"
	"slices"
	"time"

	"vigil"
)

// Counts is what events come to.
type Counts struct {
	Total Count `json:"total"`
	// Findings are the counts of those that belong to each finding, in its order.
	Findings []FindingCount `json:"findings"`
	// Subjects are the distinct customers that are named; Unlisted those of them beyond
	// MaxSubjects, or beyond what is kept in memory, which are not told apart.
	Subjects int64 `json:"subjects"`
	Unlisted int64 `json:"subjects_unlisted,omitempty"`
}

// Count is some events added up. Reads are those that showed data; Rows those that were
// told.
type Count struct {
	Events        int64     `json:"events"`
	Reads         int64     `json:"reads"`
	Rows          int64     `json:"rows"`
	Sessions      int64     `json:"sessions"`
	Conversations int64     `json:"conversations"`
	Subjects      int64     `json:"subjects"`
	First         time.Time `json:"first,omitzero"`
	Last          time.Time `json:"last,omitzero"`
}

// FindingCount is the count of one finding.
type FindingCount struct {
	ID string `json:"id"`
	Count
}

// Subject is what was read of one customer.
type Subject struct {
	Subject string    `json:"subject"`
	Events  int64     `json:"events"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// line is what is counted of an event, as it stands in its line.
type line struct {
	ID           string       `json:"id"`
	Time         time.Time    `json:"time"`
	Source       string       `json:"source"`
	Actor        string       `json:"actor"`
	Tenant       string       `json:"tenant"`
	Session      string       `json:"session"`
	Conversation string       `json:"conversation"`
	Action       vigil.Action `json:"action"`
	Subjects     []string     `json:"subjects"`
	Network      string       `json:"network"`
	Rows         int64        `json:"rows"`
}

// about reports whether an event is of what a finding is about.
func about(f *vigil.Finding, actor, tenant, source, network string, subjects []string) bool {
	switch f.About {
	case vigil.AboutSubject:
		return f.Subject != "" && slices.Contains(subjects, f.Subject)
	case vigil.AboutSource:
		return f.Source != "" && source == f.Source
	case vigil.AboutNetwork:
		return f.Network != "" && network == f.Network
	case vigil.AboutTeam:
		return slices.Contains(f.Actors, actor)
	}
	return f.Actor != "" && actor == f.Actor && tenant == f.Tenant
}

func (l *line) belongs(f *vigil.Finding) bool {
	return !l.Time.Before(From(f)) && !l.Time.After(f.End) && about(f, l.Actor, l.Tenant, l.Source, l.Network, l.Subjects)
}

// counter counts events as they pass.
type counter struct {
	findings []vigil.Finding
	total    tally
	of       []tally
	subjects map[string]*Subject
	unlisted int64
	room     room
}

// room is how many bytes of names may still be kept, so that they can be told apart.
type room int64

// keptBeside is about what is kept beside each name.
const keptBeside = 64

// take makes room for a name, and reports false where there is none.
func (r *room) take(name string) bool {
	needs := room(len(name) + keptBeside)
	if *r < needs {
		return false
	}
	*r -= needs
	return true
}

// tally is a count that is not closed yet.
type tally struct {
	Count
	sessions, conversations, subjects map[string]struct{}
}

func newCounter(findings []vigil.Finding) *counter {
	return &counter{findings: findings, of: make([]tally, len(findings)), subjects: map[string]*Subject{}, room: maxKept}
}

// takes reports whether an event belongs to any finding.
func (c *counter) takes(l *line) bool {
	for i := range c.findings {
		if l.belongs(&c.findings[i]) {
			return true
		}
	}
	return false
}

// add counts an event, and reports whether it belongs to any finding: if not, it is not
// counted.
func (c *counter) add(l *line) bool {
	belongs := false
	for i := range c.findings {
		if l.belongs(&c.findings[i]) {
			c.of[i].add(l, &c.room)
			belongs = true
		}
	}
	if !belongs {
		return false
	}
	c.total.add(l, &c.room)
	for _, s := range l.Subjects {
		x := c.subjects[s]
		if x == nil {
			if len(c.subjects) >= MaxSubjects || !c.room.take(s) {
				c.unlisted++
				continue
			}
			x = &Subject{Subject: s, First: l.Time}
			c.subjects[s] = x
		}
		x.Events, x.Last = x.Events+1, l.Time
	}
	return true
}

func (t *tally) add(l *line, r *room) {
	t.Events++
	if t.First.IsZero() {
		t.First = l.Time
	}
	t.Last = l.Time
	if l.Action.Discloses() {
		t.Reads++
		t.Rows += max(0, l.Rows)
	}
	note(&t.sessions, l.Session, r)
	note(&t.conversations, l.Conversation, r)
	for _, s := range l.Subjects {
		note(&t.subjects, s, r)
	}
}

// note takes a name into a set, as long as there is room.
func note(set *map[string]struct{}, s string, r *room) {
	if _, known := (*set)[s]; known || s == "" || len(*set) >= MaxSubjects || !r.take(s) {
		return
	}
	if *set == nil {
		*set = map[string]struct{}{}
	}
	(*set)[s] = struct{}{}
}

func (t *tally) close() Count {
	c := t.Count
	c.Sessions, c.Conversations, c.Subjects = int64(len(t.sessions)), int64(len(t.conversations)), int64(len(t.subjects))
	return c
}

// close returns what was counted.
func (c *counter) close() Counts {
	out := Counts{Total: c.total.close(), Subjects: int64(len(c.subjects)), Unlisted: c.unlisted, Findings: []FindingCount{}}
	for i := range c.findings {
		out.Findings = append(out.Findings, FindingCount{ID: c.findings[i].ID, Count: c.of[i].close()})
	}
	return out
}

// list are the customers, sorted.
func (c *counter) list() []*Subject {
	all := make([]*Subject, 0, len(c.subjects))
	for _, s := range c.subjects {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Subject) int { return cmp.Compare(a.Subject, b.Subject) })
	return all
}
