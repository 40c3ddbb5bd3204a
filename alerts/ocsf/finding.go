package ocsf

import (
	"math"
	"net/netip"
	"slices"
	"strconv"

	"vigil"
)

// ofFinding maps a finding.
func (d *detection) ofFinding(f *vigil.Finding, c *vigil.Case, b *bound) {
	d.Message = b.words(f.Sentence)
	d.StartTime, d.EndTime = millis(f.Start), millis(f.End)
	d.at = latest(latest(d.at, f.End), f.Detected)
	if f.Verdict != nil {
		d.at = latest(d.at, f.Verdict.Time)
	}
	if c == nil {
		d.Metadata.Sequence = f.Revision
	}
	d.Metadata.TenantUID = b.label(f.Tenant)
	info := &d.FindingInfo
	info.UID = ident(f.ID)
	info.Desc = b.words(f.Sentence + " " + f.Counterfactual)
	if about := b.label(string(f.About)); about != "" {
		info.Types = []string{about}
	}
	info.FirstSeenTime, info.LastSeenTime = d.StartTime, d.EndTime
	info.DataSources = b.labels("sources", union(f.Sources, f.Source))
	if f.Rule != "" {
		info.Analytic = &analytic{Name: b.label(f.Rule), UID: b.label("rule:" + f.Rule), TypeID: analyticRule, Type: "Rule"}
	} else {
		info.Analytic = &analytic{Name: b.label("evidence of " + f.Lane), UID: b.label("lane:" + f.Lane), TypeID: analyticBehavioral, Type: "Behavioral"}
	}
	d.trust(f)
	if h := number(f.Harm); h != nil {
		score := int(math.Round(min(max(*h, 0), math.MaxInt32)))
		d.RiskScore = &score
	}
	if f.Actor != "" {
		d.Actor = &actor{who(f, b)}
		d.Metadata.Profiles = append(d.Metadata.Profiles, "host")
	}
	d.resources(f, b)
	d.evidence(f, b)
	d.anomalies(f, b)
	d.observables(f, b)
	d.Unmapped.Vigil.Finding = findingOf(f, b)
}

// trust maps how sure it is: rules are nearly certain, the rest is as triage learnt.
func (d *detection) trust(f *vigil.Finding) {
	const low, medium, high = 1, 2, 3
	names := [...]string{low: "Low", medium: "Medium", high: "High"}
	switch t := f.Triage; {
	case t != nil && t.Known && t.P >= 0 && t.P <= 1:
		score := int(math.Round(100 * t.P))
		d.ConfidenceScore = &score
		d.ConfidenceID = 1 + min(int(3*t.P), 2)
	case f.Rule != "":
		d.ConfidenceID = high
	default:
		return
	}
	d.Confidence = names[d.ConfidenceID]
}

// who maps an actor. Its kind is vigil's word where the schema has none.
func who(f *vigil.Finding, b *bound) (u user) {
	u.UID = b.label(f.Actor)
	switch f.ActorKind {
	case vigil.KindHuman:
		u.TypeID, u.Type = 1, "User"
	case vigil.KindAdmin:
		u.TypeID, u.Type = 2, "Admin"
	case vigil.KindService:
		u.TypeID, u.Type = 4, "Service"
	case vigil.KindUnspecified:
	default:
		u.TypeID, u.Type = userOther, b.label(string(f.ActorKind))
	}
	if b.list > 0 {
		for _, g := range []group{{f.Team, "team"}, {f.Role, "role"}} {
			if g.Name = b.label(g.Name); g.Name != "" {
				u.Groups = append(u.Groups, g)
			}
		}
	}
	if t := b.label(f.Tenant); t != "" {
		u.Org = &org{t}
	}
	return u
}

// resources are the stores and what of them was touched.
func (d *detection) resources(f *vigil.Finding, b *bound) {
	for _, s := range b.labels("stores", f.Stores) {
		d.Resources = append(d.Resources, resource{s, "store"})
	}
	for _, s := range b.labels("resources", f.Resources) {
		d.Resources = append(d.Resources, resource{s, "resource"})
	}
}

// evidence lists the terms of the evidence, largest first, then who came from where.
func (d *detection) evidence(f *vigil.Finding, b *bound) {
	for _, c := range f.Contributions[:b.some("contributions", len(f.Contributions))] {
		t := &term{
			Text: b.words(c.Text), Model: b.label(c.Model), Observation: b.label(c.Observation), Span: b.label(c.Span), SpanStart: moment(c.SpanStart),
			Frame: b.label(c.Frame), Seen: number(c.Seen), Expected: number(c.Expected),
			SeenLabel: b.label(c.SeenLabel), ExpectedLabel: b.label(c.ExpectedLabel), P: number(c.P), Share: number(c.Share),
		}
		if c.Form() == vigil.FormAmount {
			t.Low, t.High = number(c.Low), number(c.High)
		}
		d.Evidences = append(d.Evidences, evidence{Name: t.Observation, Data: t})
	}
	for _, n := range b.labels("networks", union(f.Networks, f.Network)) {
		e := evidence{Name: "network", SrcEndpoint: &endpoint{n}}
		if d.Actor != nil {
			e.Actor = &actor{user{UID: d.Actor.User.UID}}
		}
		d.Evidences = append(d.Evidences, e)
	}
}

// anomalies says what was seen beside what is usual, for those contributions of which
// both can be written down.
func (d *detection) anomalies(f *vigil.Finding, b *bound) {
	a := anomalyAnalysis{AnalysisTargets: []target{{orUnknown(b.label(about(f))), orUnknown(b.label(string(f.About)))}}}
	for _, c := range f.Contributions[:min(len(f.Contributions), b.list)] {
		// Neither name is empty, whatever comes: there is a word between them.
		parameter, kind := b.label(c.Observation+" per "+c.Span), "Volume Analysis"
		var seen, usual string
		switch c.Form() {
		case vigil.FormAmount:
			seen, usual = plain(c.Seen), plain(c.Expected)
			if c.High > c.Low {
				usual += " (" + plain(c.Low) + " to " + plain(c.High) + ")"
			}
		case vigil.FormValue:
			kind, seen, usual = "Frequency Analysis", b.label(c.SeenLabel), b.label(c.ExpectedLabel)
		default:
			continue
		}
		if seen == "" {
			continue
		}
		a.Anomalies = append(a.Anomalies, anomaly{parameter, kind, []observation{{seen}}})
		if usual != "" {
			a.Baselines = append(a.Baselines, anomaly{parameter, kind, []observation{{usual}}})
		}
	}
	if len(a.Anomalies) > 0 {
		d.AnomalyAnalyses = []anomalyAnalysis{a}
	}
}

// about is what the finding is about, by its name.
func about(f *vigil.Finding) string {
	switch f.About {
	case vigil.AboutSubject:
		return "a customer"
	case vigil.AboutSource:
		return f.Source
	case vigil.AboutNetwork:
		return f.Network
	case vigil.AboutTeam:
		return f.Team
	}
	return f.Actor
}

// observables are what a SIEM joins events by.
func (d *detection) observables(f *vigil.Finding, b *bound) {
	add := func(name string, id int, kind string, values []string) {
		for _, v := range values {
			d.Observables = append(d.Observables, observable{name, id, kind, v})
		}
	}
	if d.Actor != nil && b.list > 0 {
		add("actor.user.uid", observableUserUID, "User Object: uid", []string{d.Actor.User.UID})
	}
	add("unmapped.vigil.finding.actors", observableUserUID, "User Object: uid", b.labels("actors", f.Actors))
	for _, n := range b.labels("networks", union(f.Networks, f.Network)) {
		if _, err := netip.ParsePrefix(n); err == nil {
			add("evidences[].src_endpoint.name", observableSubnet, "Subnet", []string{n})
		} else {
			add("evidences[].src_endpoint.name", observableOther, "Network", []string{n})
		}
	}
	if t := b.label(f.Team); t != "" && b.list > 0 {
		name := "actor.user.groups[].name"
		if d.Actor == nil {
			name = "unmapped.vigil.finding.team"
		}
		add(name, observableGroup, "Group Object: name", []string{t})
	}
	for _, r := range d.Resources {
		add("resources[].name", observableResource, "Resource Details Object: name", []string{r.Name})
	}
	add("finding_info.data_sources[]", observableOther, "Source", d.FindingInfo.DataSources)
}

// union is the list with one more name, where it is not there.
func union(list []string, name string) []string {
	if name == "" || slices.Contains(list, name) {
		return list
	}
	return append([]string{name}, list...)
}

// plain writes a number as machines and people read it, empty for what is none.
func plain(v float64) string {
	if number(v) == nil {
		return ""
	}
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func itoa(n int) string { return strconv.Itoa(n) }
