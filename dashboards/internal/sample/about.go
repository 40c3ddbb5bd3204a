package sample

import (
	"fmt"
	"slices"
	"time"

	"vigil"
)

// Actors returns n pseudonyms of actors, sorted.
func Actors(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("actor-%05xk%02d", (i*7919+48271)%0xfffff, i)
	}
	slices.Sort(out)
	return out
}

// Walk is the finding of an agent who lets a script walk through the customers'
// numbers: it holds every observation that is no count and no name.
func Walk() vigil.Finding {
	start := time.Date(2026, 11, 2, 2, 10, 0, 0, time.UTC)
	day := start.Truncate(24 * time.Hour)
	quarter := start.Truncate(15 * time.Minute)
	return vigil.Finding{
		ID: "f-3a5d70c1e9f2b846", Revision: 2, State: vigil.StateOpen, About: vigil.AboutActor,
		Actor: "actor-9f0xqw54jvm3b", ActorKind: vigil.KindHuman, Role: "agent", Team: "apac", Tenant: "acme",
		Start: start, End: start.Add(3 * time.Hour), Detected: start.Add(20 * time.Minute),
		Severity: vigil.SeverityHigh, Lane: "day", Evidence: 9.3, Threshold: 3.7, Harm: 611,
		Sentence: "Person actor-9f0xqw54jvm3b (agent, apac) read data of 611 customers, 611 rows in 640 accesses between 2 Nov 02:10 and 2 Nov 05:10 UTC. Unusual: ids read one after the other, up or down, within a day: one chance in a billion or more if they had come in any order; 598 customers new to the actor and its team within a day; its own usual is about 7, at most 19 in 99 of 100.",
		Contributions: []vigil.Contribution{
			{Model: "sequence", Observation: "order", Span: "day", SpanStart: day, Frame: "self", Seen: 41.2, Expected: 0.3, High: 0.3, P: 1e-9, E: 4e5, Share: 0.31,
				Text: "ids read one after the other, up or down, within a day: one chance in a billion or more if they had come in any order"},
			{Model: "volume", Observation: "strangers", Span: "day", SpanStart: day, Frame: "self", Seen: 598, Expected: 7.1, Low: 1, High: 19, P: 3e-8, E: 9e4, Share: 0.24,
				Text: "598 customers new to the actor and its team within a day; its own usual is about 7.1, at most 19 in 99 of 100"},
			{Model: "together", Observation: "together", Span: "quarter", SpanStart: quarter, Frame: "self", Seen: 9.1, Expected: 0.4, High: 0.4, P: 6e-7, E: 8e3, Share: 0.14,
				Text: "several oddities at once, together as rare as one in 1.7 million"},
			{Model: "sequence", Observation: "rhythm", Span: "quarter", SpanStart: quarter, Frame: "self", Seen: 1.9, Expected: 0.1, High: 0.1, P: 4e-5, E: 240, Share: 0.09,
				Text: "steady gaps between accesses, as a script has them"},
			{Model: "affinity", Observation: "burst", Span: "quarter", SpanStart: quarter, Frame: "self", Seen: 31, Expected: 2, High: 2, P: 2e-4, E: 61, Share: 0.06,
				Text: "accesses within minutes to one place or customer, or from one network, far more than before"},
			{Model: "sequence", Observation: "sequence", Span: "day", SpanStart: day, Frame: "self", Seen: 2.1, Expected: 0.6, High: 0.6, P: 9e-4, E: 19, Share: 0.05,
				Text: "one thing done after another in an order that its peers do not have"},
			{Model: "novelty", Observation: "return", Span: "quarter", SpanStart: quarter, Frame: "self", Seen: 2.2, Expected: 0, High: 0, P: 3e-3, E: 7, Share: 0.04,
				Text: "back after 18 days without an access"},
			{Model: "volume", Observation: "drift", Span: "week", SpanStart: day, Frame: "self", Seen: 731, Expected: 118, Low: 71, High: 190, P: 4e-3, E: 6, Share: 0.03,
				Text: "731 customers within a week; at its pace of months ago it would be about 118"},
			{Model: "volume", Observation: "unbounded", Span: "day", SpanStart: day, Frame: "peers", Seen: 3, Expected: 0.2, Low: 0, High: 2, P: 6e-3, E: 4.8, Share: 0.03,
				Text: "3 reads of everything at once within a day; its peers' usual is about 0.2, at most 2 in 99 of 100"},
			{Model: "volume", Observation: "splits", Span: "quarter", SpanStart: quarter, Frame: "everyone", Seen: 2, Expected: 0.05, Low: 0, High: 1, P: 8e-3, E: 4, Share: 0.02,
				Text: "2 changes of network or program within a session within a quarter of an hour; everyone's usual is about 0.1, at most 1 in 99 of 100"},
			{Model: "forest", Observation: "combination", Span: "day", SpanStart: day, Frame: "self", Seen: 4.4, Expected: 1, High: 1, P: 0.011, E: 3.2, Share: 0.02,
				Text: "several slight oddities at once that usually do not come together"},
		},
		Counterfactual: "No finding below 34 customers new to the actor and its team within a day.",
		NotJudged:      []string{"bytes"},
		Subjects:       611, Events: 640, Rows: 611, Conversations: vigil.Unknown, SubjectIDs: Subjects(200),
		Stores: []string{"helpdesk"}, Resources: []string{"public.contacts"}, Networks: []string{"192.0.2.0/24"},
	}
}

// Customer is the finding of a well-known customer into whom a dozen people look.
func Customer() vigil.Finding {
	start := time.Date(2026, 11, 2, 8, 12, 0, 0, time.UTC)
	return vigil.Finding{
		ID: "f-c0571e55a1b2c3d4", Revision: 3, State: vigil.StateOpen, About: vigil.AboutSubject,
		Subject: "subject-5r8q1m0zk2v7c", Tenant: "acme", Actors: Actors(14),
		Start: start, End: start.Add(5*time.Hour + 31*time.Minute), Detected: start.Add(2 * time.Hour),
		Severity: vigil.SeverityMedium, Lane: "subject", Evidence: 6.2, Threshold: 4.4, Harm: 13.8,
		Sentence: "Customer subject-5r8q1m0zk2v7c was read by 14 actors between 2 Nov 08:12 and 2 Nov 13:43 UTC, in 31 accesses. Unusual: 14 readers without a stated reason within a day; usual is about 0.4, at most 3 in 99 of 100.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "readers", Span: "day", SpanStart: start.Truncate(24 * time.Hour), Frame: "self", Seen: 14, Expected: 0.4, Low: 0, High: 3, P: 8e-7, E: 6e3, Share: 1,
				Text: "14 readers without a stated reason within a day; usual is about 0.4, at most 3 in 99 of 100"},
		},
		Counterfactual: "No finding with at most 3 such readers in a day, or if their reads had named a ticket or purpose.",
		Subjects:       1, Events: 31, Rows: 208, Conversations: vigil.Unknown,
	}
}

// Network is the finding of passwords that are tried out from one network.
func Network() vigil.Finding {
	start := time.Date(2026, 11, 2, 3, 31, 0, 0, time.UTC)
	quarter := start.Truncate(15 * time.Minute)
	return vigil.Finding{
		ID: "f-9e700a1c5b3d2f48", Revision: 2, State: vigil.StateClosed, About: vigil.AboutNetwork,
		Network: "203.0.113.0/24", Networks: []string{"203.0.113.0/24"}, Actors: Actors(50),
		Start: start, End: start.Add(12 * time.Minute), Detected: start.Add(2 * time.Minute),
		Severity: vigil.SeverityHigh, Lane: "network", Evidence: 8.0, Threshold: 4.1, Harm: 212,
		Sentence: "From network 203.0.113.0/24 came 212 accounts between 2 Nov 03:31 and 2 Nov 03:43 UTC, and read data of 9 customers. Unusual: 197 refused accounts within a quarter of an hour; usual is about 0.1, at most 1 in 99 of 100; 212 accounts that never came from there before within a quarter of an hour; usual is about 0.6, at most 4 in 99 of 100.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "refused", Span: "quarter", SpanStart: quarter, Frame: "self", Seen: 197, Expected: 0.1, Low: 0, High: 1, P: 1e-9, E: 3e5, Share: 0.66,
				Text: "197 refused accounts within a quarter of an hour; usual is about 0.1, at most 1 in 99 of 100"},
			{Model: "volume", Observation: "newcomers", Span: "quarter", SpanStart: quarter, Frame: "self", Seen: 212, Expected: 0.6, Low: 0, High: 4, P: 2e-6, E: 3e3, Share: 0.34,
				Text: "212 accounts that never came from there before within a quarter of an hour; usual is about 0.6, at most 4 in 99 of 100"},
		},
		Counterfactual: "No finding with at most 1 refused account within a quarter of an hour.",
		Subjects:       9, Events: 431, Rows: vigil.Unknown, Conversations: vigil.Unknown, SubjectIDs: Subjects(9),
	}
}

// Team is the finding of a team whose members each read a little more.
func Team() vigil.Finding {
	start := time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)
	return vigil.Finding{
		ID: "f-7ea3000b42d1c9e6", Revision: 1, State: vigil.StateOpen, About: vigil.AboutTeam,
		Team: "emea (agent, human)", Actors: Actors(8),
		Start: start, End: start.Add(24 * time.Hour), Detected: start.Add(24 * time.Hour),
		Severity: vigil.SeverityMedium, Lane: "team", Evidence: 4.9, Threshold: 4.6, Harm: 5.3,
		Sentence: "Team emea (agent, human) read more than its members usually do, together, between 31 Oct 00:00 and 1 Nov 00:00 UTC. Unusual: 431 readings by its members together within a day; usual is about 204, at most 297 in 99 of 100.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "team", Span: "day", SpanStart: start, Frame: "self", Seen: 431, Expected: 204, Low: 131, High: 297, P: 2e-5, E: 420, Share: 1,
				Text: "431 readings by its members together within a day; usual is about 204, at most 297 in 99 of 100"},
		},
		Counterfactual: "No finding with at most 297 readings by the team within a day.",
		Subjects:       vigil.Unknown, Events: 1380, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
}

// Silent is the finding of a source that stopped telling.
func Silent() vigil.Finding {
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	return vigil.Finding{
		ID: "f-51e2ce00d4a7b913", Revision: 2, State: vigil.StateClosed, About: vigil.AboutSource, Source: "postgres-eu",
		Start: start, End: start.Add(3 * time.Hour), Detected: start.Add(time.Hour),
		Severity: vigil.SeverityLow, Lane: "source", Evidence: 5.5, Threshold: 4.2, Harm: 1,
		Sentence: "Source postgres-eu told less than usual between 2 Nov 09:00 and 2 Nov 12:00 UTC. Unusual: 4 events within an hour; usual at that hour are about 912, at least 640 in 99 of 100.",
		Contributions: []vigil.Contribution{
			{Model: "volume", Observation: "silence", Span: "hour", SpanStart: start, Frame: "self", Seen: 4, Expected: 912, Low: 640, High: 1210, P: 4e-7, E: 1.2e4, Share: 1,
				Text: "4 events within an hour; usual at that hour are about 912, at least 640 in 99 of 100"},
		},
		Counterfactual: "No finding if the source had gone on telling as it does at that hour.",
		Subjects:       vigil.Unknown, Events: 11, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
}
