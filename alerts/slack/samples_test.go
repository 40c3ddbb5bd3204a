package slack_test

import (
	"maps"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

// vendor is a stolen vendor token, as the detector tells it.
func vendor() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-20261103-7c41d9", Revision: 3, State: vigil.StateOpen,
		About: vigil.AboutActor, Actor: "v-3f9a2c", ActorKind: vigil.KindVendor, Role: "crm sync", Team: "integrations", Tenant: "acme",
		Start: at("2026-11-03 11:02"), End: at("2026-11-03 13:10"), Detected: at("2026-11-03 11:06"),
		Severity: vigil.SeverityCritical, Lane: "quarter", Evidence: 6.4, Threshold: 3.9, Harm: 210,
		Sentence: "Vendor account v-3f9a2c read 2,113 customers' cases within two hours, from a network and with a client that it never used before; it usually reads about 40 a day.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "subjects", Span: "quarter", SpanStart: at("2026-11-03 11:15"), Frame: "self", Seen: 412, Expected: 6.2, Low: 0, High: 19, P: 2.4e-5, E: 190, Share: .58,
				Text: "412 customers in a quarter-hour, by its own past 6 (0 to 19)"},
			{Model: "novelty", Observation: "network", Span: "event", Frame: "self", Seen: 1, Expected: .0004, SeenLabel: "198.51.100.0/24", ExpectedLabel: "192.0.2.0/24", P: .0004, E: 40, Share: .27,
				Text: "network 198.51.100.0/24, never seen before for this account; usually 192.0.2.0/24"},
			{Model: "novelty", Observation: "agent", Span: "event", Frame: "self", Seen: 1, Expected: .001, SeenLabel: "python-psycopg2", ExpectedLabel: "crm-sync/4.2", P: .002, E: 12, Share: .1},
			{Model: "volume", Observation: "rows", Span: "day", Frame: "peers", Seen: 18220, Expected: 900, Low: 300, High: 2400, P: .004, E: 8, Share: .05},
			{Model: "novelty", Observation: "hour", Span: "event", Frame: "everyone", Seen: 1, Expected: .02, SeenLabel: "Tuesday 11h", P: .3, E: 1, Share: .01},
		},
		Counterfactual: "No finding below 41 customers in a quarter-hour, or from the network 192.0.2.0/24.",
		NotJudged:      []string{"bytes"},
		Subjects:       2113, Events: 640, Rows: 18220, Conversations: vigil.Unknown,
		Stores: []string{"helpdesk"}, Resources: []string{"cases", "contacts", "conversations", "messages"}, Networks: []string{"198.51.100.0/24"},
		Classes: []string{"case", "chat", "contact"},
	}
}

func export() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-20261103-11aa02", Revision: 1, State: vigil.StateOpen,
		About: vigil.AboutActor, Actor: "a-91be07", ActorKind: vigil.KindHuman, Role: "agent", Team: "emea",
		Start: at("2026-11-03 14:20"), End: at("2026-11-03 14:58"), Detected: at("2026-11-03 14:41"),
		Severity: vigil.SeverityHigh, Lane: "day", Evidence: 4.3, Threshold: 4.05, Harm: 80,
		Sentence: "Agent a-91be07 opened 388 conversations and then exported the whole of messages.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "conversations", Span: "day", Frame: "peers", Seen: 388, Expected: 47, Low: 21, High: 96, P: 1.1e-4, E: 90, Share: .82, Text: "388 conversations in a day, by its peers 47 (21 to 96)"},
		},
		Counterfactual: "No finding below 131 conversations in a day.",
		Subjects:       vigil.Unknown, Events: 402, Rows: 91234, Conversations: 388,
		Stores: []string{"helpdesk"}, Resources: []string{"messages"}, Classes: []string{"chat"}, Networks: []string{"10.20.4.0/24"},
	}
}

func rule() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-20261103-b0b", Revision: 2, State: vigil.StateClosed, About: vigil.AboutActor, Actor: "bot_chat", ActorKind: vigil.KindBot,
		Start: at("2026-11-03 08:00"), End: at("2026-11-03 08:00"), Detected: at("2026-11-03 08:00"),
		Severity: vigil.SeverityMedium, Lane: "rule", Rule: "one_conversation_one_customer",
		Sentence:      "Bot bot_chat read two customers in one conversation.",
		Contributions: []vigil.Contribution{{Model: "rule", Observation: "one_conversation_one_customer", Span: "event", Seen: 2, Expected: 1, P: 0, Share: 1, Text: "conversation c-991 read customers s-1 and s-2"}},
		Subjects:      2, Events: 2, Rows: vigil.Unknown, Conversations: 1, Stores: []string{"chat"},
	}
}

func source() *vigil.Finding {
	return &vigil.Finding{ID: "f-silent", Revision: 1, State: vigil.StateOpen, About: vigil.AboutSource, Source: "pg-main", Start: at("2026-11-03 02:00"), End: at("2026-11-03 06:30"),
		Detected: at("2026-11-03 06:30"), Severity: vigil.SeverityLow, Lane: "rule", Rule: "silence", Sentence: "Source pg-main has told nothing for four hours.", Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown}
}

// walk is an agent's script: patterns, that have no unit, beside counts.
func walk() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-3a5d70c1", Revision: 2, State: vigil.StateOpen, About: vigil.AboutActor, Actor: "actor-9f0xqw54jvm3b", ActorKind: vigil.KindHuman, Role: "agent", Team: "apac",
		Start: at("2026-11-02 02:10"), End: at("2026-11-02 05:10"), Detected: at("2026-11-02 02:30"), Severity: vigil.SeverityHigh, Lane: "day", Evidence: 9.3, Threshold: 3.7,
		Sentence: "Person actor-9f0xqw54jvm3b (agent, apac) read data of 611 customers in 640 accesses between 2 Nov 02:10 and 2 Nov 05:10 UTC.",
		Contributions: []vigil.Contribution{
			{Model: "sequence", Observation: "order", Span: "day", Frame: "self", Seen: 41.2, Expected: .3, High: .3, P: 1e-9, Share: .45, Text: "ids read one after the other, up or down, within a day: one chance in a billion or more if they had come in any order"},
			{Model: "volume", Observation: "strangers", Span: "day", Frame: "self", Seen: 598, Expected: 7.1, Low: 1, High: 19, P: 3e-8, Share: .3, Text: "598 customers new to the actor and its team within a day; its own usual is about 7.1, at most 19 in 99 of 100"},
			{Model: "novelty", Observation: "return", Span: "quarter", Frame: "self", Seen: 2.2, P: 3e-3, Share: .15},
			{Model: "volume", Observation: "unbounded", Span: "day", Frame: "peers", Seen: 3, Expected: .2, High: 2, P: 6e-3, Share: .1},
		},
		Counterfactual: "No finding below 34 customers new to the actor and its team within a day.", NotJudged: []string{"bytes"},
		Subjects: 611, Events: 640, Rows: 611, Conversations: vigil.Unknown, Stores: []string{"helpdesk"}, Resources: []string{"contacts"}, Networks: []string{"192.0.2.0/24"},
	}
}

var readers = []string{"actor-1bqx2", "actor-2k0dz", "actor-5m7c1", "actor-8h3wv", "actor-9f0xq", "actor-c4t6s"}

func customer() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-c0571e55", Revision: 3, State: vigil.StateOpen, About: vigil.AboutSubject, Subject: "subject-5r8q1m0zk2v7c", Tenant: "acme", Actors: readers,
		Start: at("2026-11-02 08:12"), End: at("2026-11-02 13:43"), Detected: at("2026-11-02 10:12"), Severity: vigil.SeverityMedium, Lane: "subject", Evidence: 6.2, Threshold: 4.4,
		Sentence: "Customer subject-5r8q1m0zk2v7c was read by 6 actors between 2 Nov 08:12 and 2 Nov 13:43 UTC, in 31 accesses.",
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "readers", Span: "day", Frame: "self", Seen: 6, Expected: .4, High: 3, P: 8e-7, Share: 1,
			Text: "6 readers without a stated reason within a day; usual is about 0.4, at most 3 in 99 of 100"}},
		Counterfactual: "No finding with at most 3 such readers in a day, or if their reads had named a ticket or purpose.",
		Subjects:       1, Events: 31, Rows: 208, Conversations: vigil.Unknown,
	}
}

func network() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-9e700a1c", Revision: 1, State: vigil.StateClosed, About: vigil.AboutNetwork, Network: "203.0.113.0/24", Networks: []string{"203.0.113.0/24"}, Actors: readers,
		Start: at("2026-11-02 03:31"), End: at("2026-11-02 03:43"), Detected: at("2026-11-02 03:33"), Severity: vigil.SeverityHigh, Lane: "network", Evidence: 8, Threshold: 4.1,
		Sentence: "From network 203.0.113.0/24 came 212 accounts between 2 Nov 03:31 and 2 Nov 03:43 UTC, and read data of 9 customers.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "refused", Span: "quarter", Frame: "self", Seen: 197, Expected: .1, High: 1, P: 1e-9, Share: .66, Text: "197 refused accounts within a quarter of an hour; usual is about 0.1, at most 1 in 99 of 100"},
			{Model: "volume", Observation: "newcomers", Span: "quarter", Frame: "self", Seen: 212, Expected: .6, High: 4, P: 2e-6, Share: .34},
		},
		Counterfactual: "No finding with at most 1 refused account within a quarter of an hour.",
		Subjects:       9, Events: 431, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
}

func team() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-7ea3000b", Revision: 1, State: vigil.StateOpen, About: vigil.AboutTeam, Team: "emea (agent, human)", Actors: readers,
		Start: at("2026-10-31 00:00"), End: at("2026-11-01 00:00"), Detected: at("2026-11-01 00:00"), Severity: vigil.SeverityMedium, Lane: "team", Evidence: 4.9, Threshold: 4.6,
		Sentence: "Team emea (agent, human) read more than its members usually do, together, between 31 Oct 00:00 and 1 Nov 00:00 UTC.",
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "team", Span: "day", Frame: "self", Seen: 431, Expected: 204, Low: 131, High: 297, P: 2e-5, Share: 1,
			Text: "431 readings by its members together within a day; usual is about 204, at most 297 in 99 of 100"}},
		Counterfactual: "No finding with at most 297 readings by the team within a day.",
		Subjects:       vigil.Unknown, Events: 1380, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
}

func silence() *vigil.Finding {
	return &vigil.Finding{
		ID: "f-51e2ce00", Revision: 1, State: vigil.StateOpen, About: vigil.AboutSource, Source: "postgres-eu",
		Start: at("2026-11-02 09:00"), End: at("2026-11-02 10:00"), Detected: at("2026-11-02 10:00"), Severity: vigil.SeverityLow, Lane: "source", Evidence: 5.5, Threshold: 4.2,
		Sentence: "Source postgres-eu told less than usual between 2 Nov 09:00 and 2 Nov 10:00 UTC.",
		Contributions: []vigil.Contribution{{Model: "volume", Observation: "silence", Span: "hour", Frame: "self", Seen: 4, Expected: 912, Low: 640, High: 1210, P: 4e-7, Share: 1,
			Text: "4 events within an hour; usual at that hour are about 912, at least 640 in 99 of 100"}},
		Counterfactual: "No finding if the source had gone on telling as it does at that hour.",
		Subjects:       vigil.Unknown, Events: 4, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
}

// evil puts an attacker's words into every field that is not vigil's own.
func evil(s string) *vigil.Finding {
	f := vendor()
	f.ID, f.Actor, f.Role, f.Team, f.Tenant, f.Subject, f.Source = s, s, s, s, s, s, s
	f.ActorKind, f.Lane, f.About = vigil.ActorKind(s), s, vigil.About(s)
	f.Network, f.Actors = s, []string{s, s, s, s, s, s}
	f.Sentence, f.Counterfactual, f.NotJudged = s, s, []string{s, s}
	f.Stores, f.Resources, f.Networks = []string{s}, []string{s, s}, []string{s}
	for i := range f.Contributions {
		c := &f.Contributions[i]
		c.Model, c.Observation, c.Span, c.Frame, c.SeenLabel, c.ExpectedLabel = s, s, s, s, s, s
		if i%2 == 0 {
			c.Text = s
		} else {
			c.Text = ""
		}
		if i == 0 {
			c.Model, c.SeenLabel = "volume", ""
		}
	}
	return f
}

func evilAbout(a vigil.About) *vigil.Finding {
	f := evil(hostileText)
	f.About = a
	return f
}

func message(f *vigil.Finding) alerts.Message {
	return alerts.Message{ID: f.ID + "/1", Kind: alerts.KindFinding, Finding: f, Link: "/findings/f-1"}
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
