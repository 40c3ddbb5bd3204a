package ocsf

import "vigil"

// unmapped is what the schema has no attribute for.
type unmapped struct {
	Vigil told `json:"vigil"`
}

type told struct {
	// Kind is the message's: case, finding, reply or notice.
	Kind    string       `json:"kind"`
	Case    *toldCase    `json:"case,omitempty"`
	Finding *toldFinding `json:"finding,omitempty"`
	Reply   *toldReply   `json:"reply,omitempty"`
	Lines   []string     `json:"lines,omitempty"`
	// Cut says of which lists something was left out.
	Cut []string `json:"cut,omitempty"`
}

type toldCase struct {
	ID           string `json:"id"`
	Revision     int    `json:"revision"`
	State        string `json:"state"`
	Open         bool   `json:"open"`
	Findings     int    `json:"findings"`
	Lead         string `json:"lead,omitempty"`
	Opened       string `json:"opened,omitempty"`
	Owner        string `json:"owner,omitempty"`
	Acknowledged *mark  `json:"acknowledged,omitempty"`
	Aware        *mark  `json:"aware,omitempty"`
	// NotifyUntil is the end of the 72 hours to notify the authority.
	NotifyUntil string `json:"notify_until,omitempty"`
	Snoozed     string `json:"snoozed_until,omitempty"`
	Asked       *asked `json:"asked,omitempty"`
	Verdict     string `json:"verdict,omitempty"`
	Reminded    int    `json:"reminded,omitempty"`
	Escalated   int    `json:"escalated,omitempty"`
	Held        string `json:"held,omitempty"`
}

type mark struct {
	By   string `json:"by,omitempty"`
	Time string `json:"time,omitempty"`
}

type asked struct {
	mark
	Answered string `json:"answered,omitempty"`
	Mine     bool   `json:"mine,omitempty"`
}

type toldFinding struct {
	Revision       int      `json:"revision"`
	State          string   `json:"state"`
	About          string   `json:"about"`
	ActorKind      string   `json:"actor_kind,omitempty"`
	Role           string   `json:"role,omitempty"`
	Team           string   `json:"team,omitempty"`
	Tenant         string   `json:"tenant,omitempty"`
	Lane           string   `json:"lane,omitempty"`
	Rule           string   `json:"rule,omitempty"`
	Evidence       *float64 `json:"evidence,omitempty"`
	Threshold      *float64 `json:"threshold,omitempty"`
	Harm           *float64 `json:"harm,omitempty"`
	Counterfactual string   `json:"counterfactual,omitempty"`
	// Customers, Events, Rows and Conversations are left out where no source tells.
	Customers      *int64   `json:"customers,omitempty"`
	Events         *int64   `json:"events,omitempty"`
	Rows           *int64   `json:"rows,omitempty"`
	Conversations  *int64   `json:"conversations,omitempty"`
	Actors         []string `json:"actors,omitempty"`
	Classes        []string `json:"classes,omitempty"`
	NotJudged      []string `json:"not_judged,omitempty"`
	ReasonsLooked  []string `json:"reasons_looked,omitempty"`
	Unreasoned     int64    `json:"unreasoned,omitempty"`
	ReasonsMissing []string `json:"reasons_missing,omitempty"`
	Verdict        string   `json:"verdict,omitempty"`
}

type toldReply struct {
	Kind string `json:"kind,omitempty"`
	Time string `json:"time,omitempty"`
	By   string `json:"by,omitempty"`
}

// ofCase maps what people did with it.
func (d *detection) ofCase(c *vigil.Case, b *bound) {
	d.Metadata.CorrelationUID = ident(c.ID)
	d.Metadata.Sequence = c.Revision
	d.Metadata.TenantUID = b.label(c.Tenant)
	d.StartTime, d.EndTime = millis(c.Start), millis(c.End)
	d.FindingInfo.UID = ident(c.Lead)
	if c.Owner != "" {
		d.Assignee = &user{UID: b.label(c.Owner)}
	}
	var rest []string
	for _, id := range c.Findings {
		if id != c.Lead {
			rest = append(rest, id)
		}
	}
	for _, id := range rest[:b.some("related events", len(rest))] {
		d.FindingInfo.RelatedEvents = append(d.FindingInfo.RelatedEvents, relatedEvent{ident(id)})
	}
	d.FindingInfo.RelatedEventsCount = max(c.Total-1, 0)

	t := &toldCase{
		ID: ident(c.ID), Revision: c.Revision, State: b.label(string(c.State)), Open: c.Open, Findings: c.Total, Lead: ident(c.Lead), Opened: moment(c.Opened),
		Owner: b.label(c.Owner), NotifyUntil: moment(c.Due()), Snoozed: moment(c.Snoozed), Verdict: b.label(string(c.Word)),
		Reminded: c.Reminded, Escalated: c.Escalated, Held: b.label(string(c.Held)),
	}
	d.at = latest(d.at, c.Opened)
	if c.Acknowledged != nil {
		t.Acknowledged = b.mark(c.Acknowledged)
		d.at = latest(d.at, c.Acknowledged.Time)
	}
	if c.Aware != nil {
		t.Aware = b.mark(c.Aware)
		d.at = latest(d.at, c.Aware.Time)
	}
	if a := c.Asked; a != nil {
		t.Asked = &asked{mark: *b.mark(&a.Mark), Answered: moment(a.Answered), Mine: a.Mine}
		d.at = latest(latest(d.at, a.Time), a.Answered)
	}
	d.Unmapped.Vigil.Case = t
}

func (b *bound) mark(m *vigil.Mark) *mark { return &mark{By: b.label(m.By), Time: moment(m.Time)} }

func findingOf(f *vigil.Finding, b *bound) *toldFinding {
	t := &toldFinding{
		Revision: f.Revision, State: b.label(string(f.State)), About: b.label(string(f.About)), ActorKind: b.label(string(f.ActorKind)),
		Role: b.label(f.Role), Team: b.label(f.Team), Tenant: b.label(f.Tenant), Lane: b.label(f.Lane), Rule: b.label(f.Rule),
		Evidence: number(f.Evidence), Threshold: number(f.Threshold), Harm: number(f.Harm), Counterfactual: b.words(f.Counterfactual),
		Customers: count(f.Subjects), Events: count(f.Events), Rows: count(f.Rows), Conversations: count(f.Conversations),
		Actors: b.labels("actors", f.Actors), Classes: b.labels("classes", f.Classes), NotJudged: b.labels("not judged", f.NotJudged),
		ReasonsLooked: b.labels("reasons looked for", f.ReasonsLooked), Unreasoned: f.Unreasoned, ReasonsMissing: b.labels("reasons missing", f.ReasonsMissing),
	}
	if f.Verdict != nil {
		t.Verdict = b.label(string(f.Verdict.Word))
	}
	return t
}
