package slack_test

import (
	"maps"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

// The findings that all channels are tried with.
var (
	rule, source, walk               = alertstest.Rule, alertstest.Source, alertstest.Walk
	customer, network, team, silence = alertstest.Customer, alertstest.Network, alertstest.Team, alertstest.Silence
	message                          = alertstest.Message
)

// vendor and export are those of all channels, with the classes of what was read.
func vendor() *vigil.Finding {
	f := alertstest.Vendor()
	f.Classes = []string{"case", "chat", "contact"}
	return f
}

func export() *vigil.Finding {
	f := alertstest.Export()
	f.Classes = []string{"chat"}
	return f
}

// evil is that of all channels, with vendor's classes.
func evil(s string) *vigil.Finding {
	f := alertstest.Evil(s)
	f.Classes = vendor().Classes
	return f
}

func evilAbout(a vigil.About) *vigil.Finding {
	f := evil(hostileText)
	f.About = a
	return f
}

const hostileText = "<!channel> <@U123> <#C1> <https://evil.example|click> & *bold* _it_ ~no~ `code` :skull: https://evil.example/x\n> quote\u202egnp\u200b\x1b[31m"

func samples() map[string]alerts.Message {
	long := vendor()
	long.Sentence = strings.Repeat("a very long sentence with <angles> & ampersands ", 200)
	long.Actor = strings.Repeat("日", 400)
	long.Contributions[0].Text = strings.Repeat("<&>", 1000)
	bare := &vigil.Finding{ID: "f-bare", Severity: vigil.SeverityLow}
	out := map[string]alerts.Message{
		"vendor": message(vendor()), "export": message(export()), "rule": message(rule()), "source": message(source()),
		"walk": message(walk()), "customer": message(customer()), "network": message(network()), "team": message(team()), "silence": message(silence()),
		"hostile": message(evil(hostileText)), "hostile-subject": message(evilAbout(vigil.AboutSubject)), "hostile-network": message(evilAbout(vigil.AboutNetwork)),
		"hostile-team": message(evilAbout(vigil.AboutTeam)), "hostile-source": message(evilAbout(vigil.AboutSource)), "long": message(long), "bare": {ID: "f-bare/1", Kind: alerts.KindFinding, Finding: bare},
		"digest": alerts.NewDigest(alerts.Day{From: at("2026-11-03 00:00"), To: at("2026-11-04 00:00"), Events: 214_332, Quarantined: 3, Budget: .2,
			Findings: []vigil.Finding{*rule(), *source(), *export(), *vendor()}, Notes: []string{"Source nginx was silent from 02:00 to 06:30 UTC.", "The week lane speaks from 9 November on."}, Link: "/"}),
		"quiet":          alerts.NewDigest(alerts.Day{From: at("2026-11-04 00:00"), To: at("2026-11-05 00:00"), Events: 198_001, Budget: 2}),
		"hostile-digest": alerts.NewDigest(alerts.Day{From: at("2026-11-03 00:00"), To: at("2026-11-04 00:00"), Findings: []vigil.Finding{*evil(hostileText)}, Notes: []string{hostileText}, Link: "javascript:alert(1)"}),
	}
	maps.Copy(out, caseSamples())
	return out
}
