package slack_test

import (
	"strings"

	"vigil"
	"vigil/alerts"
)

// people are vigil's users whom Slack knows.
var people = map[string]string{
	"actor-ana": "U0ANA11", "actor-bo": "W0BO222",
	// What a directory might hold that is no user ID.
	"actor-evil": "U1> <!channel", "actor-lower": "u0ana11", "actor-channel": "C0123ABC",
}

func mention(pseudonym string) string { return people[pseudonym] }

func of(f *vigil.Finding) *vigil.Case {
	return &vigil.Case{
		ID: "case-7c41d9e2", Revision: 1, State: vigil.CaseNew,
		About: f.About, Actor: f.Actor, ActorKind: f.ActorKind, Role: f.Role, Team: f.Team, Tenant: f.Tenant, Subject: f.Subject, Source: f.Source, Network: f.Network,
		Findings: []string{f.ID}, Total: 1, Lead: f.ID, Severity: f.Severity, Harm: f.Harm, Open: f.State == vigil.StateOpen,
		Start: f.Start, End: f.End, Opened: at("2026-11-03 11:06"),
	}
}

// inCase is a case's card.
func inCase(f *vigil.Finding, change func(*vigil.Case)) alerts.Message {
	c := of(f)
	if change != nil {
		change(c)
	}
	return alerts.Message{ID: c.ID + "/1", Kind: alerts.KindCase, Finding: f, Case: c, Link: "/findings/" + f.ID}
}

func reply(r alerts.Reply, parent string) alerts.Message {
	r.Time = at("2026-11-03 11:40")
	return alerts.Message{ID: "case-7c41d9e2/reply/4", Kind: alerts.KindReply, Case: of(vendor()), Reply: &r, Parent: parent, Link: "/findings/f-1"}
}

func notice(n alerts.Notice) alerts.Message {
	return alerts.Message{ID: "notice/1", Kind: alerts.KindNotice, Notice: &n, Link: "/"}
}

func mark(by, t string) *vigil.Mark { return &vigil.Mark{By: by, Time: at(t)} }

func agent() *vigil.Finding {
	f := walk()
	f.ReasonsLooked, f.Unreasoned = []string{"assignment", "ticket"}, 598
	return f
}

const (
	parent   = "C1/1762160000.000001"
	pictured = parent + "/F0PIC/0a1b2c3d"
)

func caseSamples() map[string]alerts.Message {
	evilCase := inCase(evil(hostileText), func(c *vigil.Case) {
		c.ID, c.State, c.Owner, c.SnoozedBy, c.Word = hostileText, vigil.CaseState(hostileText), hostileText, "actor-evil", vigil.Word(hostileText)
		c.Acknowledged, c.Aware, c.Snoozed = mark("actor-lower", "2026-11-03 11:20"), mark("actor-channel", "2026-11-03 11:20"), at("2026-11-04 08:00")
		c.Asked = &vigil.Asked{Mark: *mark(hostileText, "2026-11-03 11:20"), Answered: at("2026-11-03 11:20"), Why: hostileText}
	})
	withPicture := inCase(vendor(), nil)
	withPicture.Receipt = pictured
	var flood []string
	for range 12 {
		flood = append(flood, "High · bot bot_chat, conversations that read two customers: 14 in 10 minutes")
	}
	return map[string]alerts.Message{
		"case-new":     inCase(vendor(), nil),
		"case-picture": withPicture,
		"case-acknowledged": inCase(agent(), func(c *vigil.Case) {
			c.State, c.Acknowledged, c.Owner, c.Total = vigil.CaseAcknowledged, mark("actor-ana", "2026-11-03 11:20"), "actor-ana", 3
		}),
		"case-snoozed": inCase(customer(), func(c *vigil.Case) {
			c.State, c.Acknowledged, c.Owner = vigil.CaseAcknowledged, mark("actor-ana", "2026-11-03 11:20"), "actor-unknown"
			c.Snoozed, c.SnoozedBy = at("2026-11-04 08:00"), "actor-bo"
		}),
		"case-asked": inCase(agent(), func(c *vigil.Case) {
			c.State, c.Acknowledged, c.Asked = vigil.CaseAcknowledged, mark("actor-bo", "2026-11-03 11:20"), &vigil.Asked{Mark: *mark("actor-bo", "2026-11-03 11:25")}
		}),
		"case-answered": inCase(agent(), func(c *vigil.Case) {
			c.State, c.Acknowledged, c.Owner = vigil.CaseAcknowledged, mark("actor-bo", "2026-11-03 11:20"), "actor-bo"
			c.Asked = &vigil.Asked{Mark: *mark("actor-bo", "2026-11-03 11:25"), Answered: at("2026-11-03 11:31"), Mine: true, Why: "Back-filling the ticket export that support asked for, SUP-1123."}
		}),
		"case-clock": inCase(vendor(), func(c *vigil.Case) {
			c.State, c.Acknowledged, c.Owner, c.Aware = vigil.CaseAcknowledged, mark("actor-ana", "2026-11-03 11:20"), "actor-ana", mark("actor-ana", "2026-11-03 11:25")
			c.Word, c.Total = "breach", 7
		}),
		"case-resolved": inCase(rule(), func(c *vigil.Case) {
			c.State, c.Acknowledged, c.Owner, c.Word = vigil.CaseResolved, mark("actor-ana", "2026-11-03 11:20"), "actor-ana", "misuse"
		}),
		"case-hostile":   evilCase,
		"case-bare":      {ID: "c/1", Kind: alerts.KindCase, Finding: &vigil.Finding{ID: "f"}, Case: &vigil.Case{ID: "c"}},
		"reply-answer":   reply(alerts.Reply{Kind: vigil.CaseAnswered, Text: "It was me: back-filling the ticket export that support asked for."}, parent),
		"reply-reminder": reply(alerts.Reply{Kind: vigil.CaseReminded, Text: "Nobody has acknowledged this for 30 minutes.", Call: []string{"actor-ana", "actor-bo", "actor-unknown"}, Loud: true}, parent),
		"reply-alone":    reply(alerts.Reply{Kind: vigil.CaseJoined, By: "actor-ana", Text: "From network 198.51.100.0/24 came 14 accounts within a quarter of an hour."}, ""),
		"reply-hostile":  reply(alerts.Reply{Kind: vigil.CaseEventKind(hostileText), By: hostileText, Text: hostileText + hostileText, Call: []string{hostileText, "actor-evil", "actor-lower", "actor-channel"}}, ""),
		"notice-flood": notice(alerts.Notice{Severity: vigil.SeverityHigh, Title: "Flood: 168 cases in 10 minutes", Sentence: "So many cases opened at once that they are told together. All of them are in the console and in the digest.",
			Lines: flood}),
		"notice-report":  notice(alerts.Notice{Title: "The audit report for October is ready", Sentence: "31 findings, 29 judged, 2 open. It is signed and can be checked offline."}),
		"notice-hostile": notice(alerts.Notice{Severity: hostileText, Title: hostileText, Sentence: hostileText, Lines: strings.Split(strings.Repeat(hostileText+"|", 30), "|")}),
		"digest-week": alerts.NewDigest(alerts.Day{From: at("2026-11-02 00:00"), To: at("2026-11-09 00:00"), Events: 1_514_332, Budget: .2,
			Findings: []vigil.Finding{*rule(), *source(), *export(), *vendor(), *team(), *customer()}, Link: "/"}),
	}
}
