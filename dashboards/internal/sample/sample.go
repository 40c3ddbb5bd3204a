// Package sample holds findings like those of a real help desk, for the tests of
// everything that shows them: a vendor's stolen token, an agent's mass export, a
// slow scrape by a service account, and a bot that was talked into reading three
// customers in one conversation. Only tests import it. What it returns belongs to
// the caller.
package sample

import (
	"fmt"
	"math"
	"time"

	"vigil"
	"vigil/internal/api"
)

// now is fixed, so that what is drawn from it can be compared byte for byte.
var now = time.Date(2026, 11, 2, 16, 20, 0, 0, time.UTC)

// Now returns the event time up to which the sample log is judged.
func Now() time.Time { return now }

// Vendor is the finding of a vendor's stolen token: many cases in two hours, from
// a network that it never used.
func Vendor() vigil.Finding {
	start := time.Date(2026, 11, 2, 14, 3, 12, 0, time.UTC)
	return vigil.Finding{
		ID: "f-7c1e09a4b2d35f60", Revision: 3, State: vigil.StateOpen, About: vigil.AboutActor,
		Actor: "p_k4d9x2mq7w", ActorKind: vigil.KindVendor, Role: "crm-sync", Team: "integrations", Tenant: "acme",
		Start: start, End: start.Add(2*time.Hour + 4*time.Minute), Detected: start.Add(16 * time.Minute),
		Severity: vigil.SeverityCritical, Lane: "quarter", Evidence: 11.42, Threshold: 4.31, Harm: 8512,
		Sentence: "A vendor token, p_k4d9x2mq7w, read the conversations of 2\u202f140 customers in two hours, usually 24, from a network that it never used before.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "subjects", Span: "quarter", SpanStart: start.Truncate(15 * time.Minute), Frame: "self",
				Seen: 281, Expected: 3.1, Low: 0, High: 9, P: 3.2e-9, E: 8.1e5, Share: 0.46,
				Text: "It read 281 customers in a quarter of an hour; its own past says 3, and 9 at most in 98 of 100."},
			{Model: "volume", Observation: "rows", Span: "quarter", SpanStart: start.Truncate(15 * time.Minute), Frame: "peers",
				Seen: 8420, Expected: 140, Low: 38, High: 410, P: 4.4e-7, E: 1.1e4, Share: 0.27,
				Text: "It took 8\u202f420 rows in a quarter of an hour; its peers take 140."},
			{Model: "novelty", Observation: "network", Span: "quarter", SpanStart: start.Truncate(15 * time.Minute), Frame: "self",
				Seen: 1, Expected: 0.0004, SeenLabel: "203.0.113.0/24", ExpectedLabel: "198.51.100.0/24, 192.0.2.0/24", P: 2.1e-4, E: 61, Share: 0.19,
				Text: "It came from 203.0.113.0/24, never seen with it; usual are 198.51.100.0/24 and 192.0.2.0/24."},
			{Model: "novelty", Observation: "shape", Span: "quarter", SpanStart: start.Truncate(15 * time.Minute), Frame: "everyone",
				Seen: 1, Expected: 0.011, SeenLabel: "select conversations, messages #9b2f60cc", ExpectedLabel: "select cases #1f3a9c02", P: 0.013, E: 4.2, Share: 0.08,
				Text: "It asked a kind of query that hardly anyone asks."},
		},
		Counterfactual: "No finding below 41 customers in each quarter of an hour, or from one of its usual networks below 96.",
		Subjects:       2140, Events: 2202, Rows: 51874, Conversations: 2140, SubjectIDs: Subjects(2140),
		Stores: []string{"helpdesk"}, Resources: []string{"public.cases", "public.conversations", "public.messages"},
		Classes:  []string{"case", "chat"},
		Networks: []string{"203.0.113.0/24"},
	}
}

// Export is the finding of an agent's mass export late in the evening.
func Export() vigil.Finding {
	start := time.Date(2026, 11, 1, 22, 41, 0, 0, time.UTC)
	return vigil.Finding{
		ID: "f-20d4be81f3aa9c17", Revision: 2, State: vigil.StateClosed, About: vigil.AboutActor,
		Actor: "p_t7h2vn5c8e", ActorKind: vigil.KindHuman, Role: "agent", Team: "emea", Tenant: "acme",
		Start: start, End: start.Add(11 * time.Minute), Detected: start.Add(4 * time.Minute),
		Severity: vigil.SeverityHigh, Lane: "quarter", Evidence: 7.06, Threshold: 4.31, Harm: 3960,
		Sentence: "An agent of team emea, p_t7h2vn5c8e, exported the conversations of 1\u202f184 customers in eleven minutes at 22:41; it usually reads 9 an hour and never exports.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "rows", Span: "quarter", Frame: "self", SpanStart: start, Seen: 38110, Expected: 61, Low: 8, High: 190,
				P: 1e-9, E: 2.4e6, Share: 0.58, Text: "It took 38\u202f110 rows in a quarter of an hour; its own past says 61."},
			{Model: "novelty", Observation: "action", Span: "quarter", Frame: "peers", SpanStart: start, Seen: 1, Expected: 0.0021,
				SeenLabel: "export", ExpectedLabel: "read, search, write", P: 1.8e-3, E: 12.5, Share: 0.27, Text: "It exported, which its peers hardly ever do."},
			{Model: "novelty", Observation: "hour", Span: "quarter", Frame: "self", SpanStart: start, Seen: 1, Expected: 0.006,
				SeenLabel: "22:00", ExpectedLabel: "7:00, 8:00, 9:00", P: 0.008, E: 5.2, Share: 0.15, Text: "It works at 22:00 for the first time."},
		},
		Counterfactual: "No finding below 420 rows in that quarter of an hour.",
		NotJudged:      []string{"bytes"},
		Subjects:       1184, Events: 6, Rows: 38110, Conversations: 1184, SubjectIDs: Subjects(40),
		Stores: []string{"helpdesk"}, Resources: []string{"public.conversations", "public.messages"}, Classes: []string{"chat"}, Networks: []string{"192.0.2.0/24"},
	}
}

// Scrape is the finding of a service account that reads a little more than it
// should, every hour for two weeks, from a source that tells no rows.
func Scrape() vigil.Finding {
	start := time.Date(2026, 10, 18, 0, 0, 0, 0, time.UTC)
	return vigil.Finding{
		ID: "f-b90177e26c48d3f1", Revision: 9, State: vigil.StateOpen, About: vigil.AboutActor,
		Actor: "p_m1s6zr0y4u", ActorKind: vigil.KindService, Role: "reporting", Team: "data",
		Start: start, End: now.Add(-25 * time.Minute), Detected: start.Add(10 * 24 * time.Hour),
		Severity: vigil.SeverityMedium, Lane: "day", Evidence: 4.88, Threshold: 3.70, Harm: 1240,
		Sentence: "A service account, p_m1s6zr0y4u, read 3\u202f906 different customers over two weeks, each day some 280 where 90 are usual.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", SpanStart: start.Add(9 * 24 * time.Hour), Seen: 284, Expected: 91, Low: 55, High: 139,
				P: 2e-4, E: 64, Share: 0.71, Text: "It read 284 customers in a day; its own past says 91, and 139 at most in 98 of 100."},
			{Model: "volume", Observation: "events", Span: "day", Frame: "peers", SpanStart: start.Add(9 * 24 * time.Hour), Seen: 610, Expected: 330, Low: 140, High: 560,
				P: 6e-3, E: 6.3, Share: 0.29, Text: "It made 610 accesses in a day; its peers make 330."},
		},
		Counterfactual: "No finding below 131 customers on each of the days.",
		NotJudged:      []string{"rows", "bytes"},
		Subjects:       3906, Events: 9214, Rows: vigil.Unknown, Conversations: vigil.Unknown, SubjectIDs: Subjects(300),
		Stores: []string{"helpdesk"}, Resources: []string{"public.contacts"}, Classes: []string{"contact"}, Networks: []string{"198.51.100.0/24"},
	}
}

// Bot is the finding, by rule, of a bot that read three customers in one
// conversation.
func Bot() vigil.Finding {
	start := time.Date(2026, 11, 2, 9, 12, 31, 0, time.UTC)
	return vigil.Finding{
		ID: "f-015ac3d97be4826f", Revision: 1, State: vigil.StateClosed, About: vigil.AboutActor,
		Actor: "p_b0t5assist", ActorKind: vigil.KindBot, Role: "assistant",
		Start: start, End: start.Add(38 * time.Second), Detected: start.Add(38 * time.Second),
		Severity: vigil.SeverityLow, Lane: "rule", Rule: "one_conversation_one_customer", Harm: 130,
		Sentence: "The bot p_b0t5assist read three customers in one conversation, where one is allowed.",
		Contributions: []vigil.Contribution{
			{Model: "rule", Observation: "subjects", Span: "conversation", SpanStart: start, Seen: 3, Expected: 1, High: 1, P: 0, E: 0, Share: 1,
				Text: "Conversation p_c991 read three customers; one is allowed."},
		},
		Counterfactual: "No finding had the conversation read its own customer alone.",
		NotJudged:      []string{"rows"},
		Subjects:       3, Events: 4, Rows: vigil.Unknown, Conversations: 1, SubjectIDs: Subjects(3),
		Stores: []string{"helpdesk"}, Resources: []string{"public.contacts"}, Classes: []string{"contact"}, Networks: []string{"local"},
	}
}

// All returns the sample findings, worst first.
func All() []vigil.Finding { return []vigil.Finding{Vendor(), Export(), Scrape(), Bot()} }

// Every returns All and a finding about each other thing, with every observation
// that there is.
func Every() []vigil.Finding {
	return []vigil.Finding{Vendor(), Export(), Walk(), Network(), Scrape(), Customer(), Team(), Bot(), Silent()}
}

// Subjects returns n pseudonyms of customers, sorted.
func Subjects(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("s_%05x%04d", (i*7919)%0xfffff, i)
	}
	return out
}

// Timeline returns the sample timeline that belongs to a finding: hours before
// and within its span, or days for what lasts for weeks.
func Timeline(f *vigil.Finding) api.Timeline {
	t := api.Timeline{Start: f.Start.Add(-14 * 24 * time.Hour).Truncate(24 * time.Hour), Bucket: time.Hour}
	if f.End.Sub(f.Start) > 7*24*time.Hour {
		t.Bucket = 6 * time.Hour
		t.Start = f.Start.Add(-21 * 24 * time.Hour)
	}
	for at := t.Start; at.Before(f.End.Add(2 * t.Bucket)); at = at.Add(t.Bucket) {
		x := float64(at.Unix() / 3600)
		events := math.Round(12 + 7*math.Sin(x*math.Pi/12) + 4*math.Sin(x*1.7))
		if day := at.Weekday(); day == time.Saturday || day == time.Sunday {
			events = math.Round(events / 4)
		}
		switch events = math.Max(events, 0); f.About {
		case vigil.AboutSubject:
			events = math.Max(0, math.Round(1.2*math.Sin(x*2.3)))
		case vigil.AboutSource:
			events *= 70
			if !at.Before(f.Start) && at.Before(f.End) {
				events = 4
			}
		}
		if at.Add(t.Bucket).After(f.Start) && !at.After(f.End) && f.About != vigil.AboutSource {
			buckets := math.Max(1, float64(f.End.Sub(f.Start))/float64(t.Bucket))
			events += math.Round(float64(f.Events) / buckets)
		}
		t.Events = append(t.Events, events)
		t.SubjectsNamed = append(t.SubjectsNamed, math.Round(events*0.9))
		if f.Rows >= 0 {
			t.Rows = append(t.Rows, events*23)
		}
	}
	return t
}

// Events returns n events of what a finding is about, within its span.
func Events(f *vigil.Finding, n int) []*vigil.Event {
	resources, networks, source := f.Resources, f.Networks, f.Source
	if len(resources) == 0 {
		resources = []string{"public.contacts"}
	}
	if len(networks) == 0 {
		networks = []string{"192.0.2.0/24", "198.51.100.0/24"}
	}
	if source == "" {
		source = "postgres-eu"
	}
	step := f.End.Sub(f.Start) / time.Duration(max(n, 1))
	subjects := Subjects(n)
	out := make([]*vigil.Event, n)
	for i := range out {
		e := vigil.NewEvent()
		e.ID = fmt.Sprintf("e-%s-%05d", f.ID, i)
		e.Time = f.Start.Add(time.Duration(i) * step)
		e.Source = source
		e.Actor = vigil.Actor{ID: f.Actor, Kind: f.ActorKind, Role: f.Role, Team: f.Team}
		if len(f.Actors) > 0 {
			e.Actor.ID = f.Actors[i%len(f.Actors)]
		} else if f.Actor == "" {
			e.Actor.ID = fmt.Sprintf("actor-%05x", 4096*(i%7+1))
		}
		e.Action, e.Outcome = vigil.ActionRead, vigil.OutcomeSuccess
		e.Store, e.Resource = "helpdesk", resources[i%len(resources)]
		e.Subjects, e.SubjectCount = subjects[i:i+1], 1
		if f.Subject != "" {
			e.Subjects = []string{f.Subject}
			if i%9 == 4 {
				e.Ticket = fmt.Sprintf("ticket-%05d", i)
			}
		}
		e.Conversation = fmt.Sprintf("p_c%05d", i)
		if f.Rows >= 0 {
			e.Rows = int64(12 + i%37)
		}
		if i%17 == 5 {
			e.Outcome = vigil.OutcomeDenied
		}
		e.Network = networks[i%len(networks)]
		e.Shape = "select conversations #9b2f60cc"
		e.Origin = vigil.Origin{File: "postgresql-2026-11-02.csv", Line: int64(41200 + i)}
		out[i] = e
	}
	return out
}

// workday is the events of a day's hours, n in the busiest.
func workday(n int64) (perHour []int64) {
	for _, part := range [24]int64{2, 1, 1, 1, 2, 6, 20, 55, 80, 96, 100, 92, 60, 74, 90, 88, 70, 44, 21, 10, 6, 4, 3, 2} {
		perHour = append(perHour, n*part/100)
	}
	return perHour
}

// Status returns a program's state at work: lanes that speak and lanes that are
// still learning, two sources.
func Status() api.Status {
	return api.Status{
		Events: 1_204_332, Quarantined: 17, Watermark: now, Budget: 1, Progress: -1,
		Lanes: []api.Lane{
			{Name: "quarter", Ready: true, Theory: 4.6, Threshold: 4.31, ActorEpochs: 3900},
			{Name: "day", Ready: true, Theory: 1.7, Threshold: 3.70, ActorEpochs: 47},
			{Name: "week", Why: "learning: 9.4 of 28 days, 60 of 60 spans", Theory: 0.8},
			{Name: "subject", Ready: true, Theory: 4.4, Threshold: 4.36, ActorEpochs: 2100},
			{Name: "network", Ready: true, Theory: 4.5, Threshold: 4.1, ActorEpochs: 640},
			{Name: "team", Why: "learning: 14.0 of 14 days, 18 of 20 spans", Theory: 1.9},
			{Name: "source", Why: "nothing has been seen yet"},
		},
		Rules: 14, RulesOff: []api.RuleOff{{ID: "own-circle", Name: "Somebody read people they know", Why: api.RuleOffByFile}},
		Sources: []api.Source{
			{
				Name: "postgres-eu", State: api.SourceReading, Events: 1_102_870, Duplicates: 12, Quarantined: 3, Last: now.Add(-4 * time.Second), Accepted: now.Add(-2 * time.Second),
				QuarantineReasons: map[string]int64{"truncated": 2, "time": 1}, PerHour: workday(2100), Usual: 2034.4,
			},
			{
				Name: "helpdesk-nginx", State: api.SourceSilent, Events: 101_462, Quarantined: 14, Last: now.Add(-42 * time.Minute), Accepted: now.Add(-42 * time.Minute),
				QuarantineReasons: map[string]int64{"too-long": 14}, PerHour: workday(190), Usual: 188, Findings: []api.SourceFinding{{
					ID: "f-51e2ce00d4a7b914", Severity: vigil.SeverityMedium, Silence: true,
					Sentence: "Source helpdesk-nginx told nothing since 2 Nov 15:38:00 UTC, for 42 minutes by now. Usual at that hour are pauses of at most 40 seconds.",
				}},
			},
			{Name: "crm-audit", State: api.SourceFailing, Fault: "open /var/log/crm/audit.log: permission denied", Usual: float64(vigil.Unknown)},
			{Name: "bot-events", State: api.SourceNever, Usual: float64(vigil.Unknown)},
			{
				Name: "warehouse-export", State: api.SourceBehind, Events: 44_210, Last: now.Add(-3 * time.Hour), Accepted: now.Add(-time.Minute), Lag: 179 * time.Minute,
				PerHour: workday(700), Usual: 641,
			},
		},
	}
}
