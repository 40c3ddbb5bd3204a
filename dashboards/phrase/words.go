package phrase

import (
	"fmt"
	"math"
	"strings"

	"vigil"
)

// Severity is a severity's word as a title: "Critical". One that is not of the
// closed set is "Unrated".
func Severity(s vigil.Severity) string {
	switch s {
	case vigil.SeverityLow:
		return "Low"
	case vigil.SeverityMedium:
		return "Medium"
	case vigil.SeverityHigh:
		return "High"
	case vigil.SeverityCritical:
		return "Critical"
	}
	return "Unrated"
}

// Kind is an actor kind in a word or two.
func Kind(k vigil.ActorKind) string {
	switch k {
	case vigil.KindHuman:
		return "person"
	case vigil.KindService:
		return "service account"
	case vigil.KindBot:
		return "bot"
	case vigil.KindVendor:
		return "vendor"
	case vigil.KindAdmin:
		return "administrator"
	case vigil.KindAnonymous:
		return "anonymous"
	}
	return ""
}

// Lane says in plain words what a lane looks at.
func Lane(name string) string {
	switch name {
	case "quarter":
		return "quarter-hours"
	case "day":
		return "days"
	case "week":
		return "weeks"
	case "subject":
		return "customers"
	case "network":
		return "networks"
	case "team":
		return "teams"
	case "source":
		return "log sources"
	case "rule":
		return "rules"
	}
	return Text(name, 40)
}

// LaneAsks says what a lane asks; empty for one that is not known.
func LaneAsks(name string) string {
	switch name {
	case "quarter":
		return "what each actor does in a quarter-hour"
	case "day":
		return "what each actor does in a day"
	case "week":
		return "what each actor does in a week"
	case "subject":
		return "how many read one customer in a day"
	case "network":
		return "who comes from one network"
	case "team":
		return "what a team does together in a day"
	case "source":
		return "whether a log falls silent"
	case "rule":
		return "what is never allowed"
	}
	return ""
}

// Learning says how far a lane that is not judged yet has come, by the detector's
// own words ("learning: 3.2 of 7 days, 60 of 60 spans"): in fewer words, and as a
// part between 0 and 1. Other words are given back as they are, with part -1.
func Learning(why string) (text string, part float64) {
	var days, needDays, seen, needSeen float64
	if n, err := fmt.Sscanf(why, "learning: %g of %g days, %g of %g spans", &days, &needDays, &seen, &needSeen); err != nil || n != 4 ||
		!(needDays > 0) || !(needSeen > 0) {
		return Prose(why, 300), -1
	}
	part = math.Min(days/needDays, seen/needSeen)
	if !(part >= 0) {
		return Prose(why, 300), -1
	}
	var parts []string
	if days < needDays {
		parts = append(parts, Number(days)+" of "+Number(needDays)+" days")
	}
	switch {
	case seen == 0 && len(parts) == 0:
		parts = append(parts, "no examples yet")
	case seen > 0 && seen < needSeen:
		parts = append(parts, Number(seen)+" of "+Number(needSeen)+" examples")
	case len(parts) == 0:
		parts = append(parts, "nearly done")
	}
	return strings.Join(parts, ", "), math.Min(part, 1)
}

// Verdict is an analyst's word as it is shown.
func Verdict(w vigil.Word) string {
	switch w {
	case vigil.WordBreach:
		return "a breach"
	case vigil.WordMisuse:
		return "misuse"
	case vigil.WordExpected:
		return "expected"
	case vigil.WordUnknown:
		return "not known"
	}
	return Text(string(w), 40)
}

// Found says how a finding was found.
func Found(lane, rule string) string {
	switch {
	case rule != "":
		return "by the rule " + Text(strings.ReplaceAll(rule, "_", " "), 60)
	case lane == "quarter":
		return "by comparing quarter-hours"
	case lane == "day":
		return "by comparing days"
	case lane == "week":
		return "by comparing weeks"
	case lane == "subject":
		return "by who reads one customer"
	case lane == "network":
		return "by who comes from one network"
	case lane == "team":
		return "by what a team does together"
	case lane == "source":
		return "by what a source tells"
	}
	return "by " + Text(lane, 40)
}

// Span says "per what" a count is.
func Span(span string) string {
	switch span {
	case "quarter":
		return "in a quarter-hour"
	case "minute":
		return "in a minute"
	case "hour":
		return "in an hour"
	case "day":
		return "in a day"
	case "week":
		return "in a week"
	case "month":
		return "in a month"
	case "event":
		return "in one event"
	case "session":
		return "in a session"
	case "conversation":
		return "in a conversation"
	case "":
		return ""
	}
	return "in a " + Text(span, 40)
}

// Frame says whose normal something is held against.
func Frame(frame string) string {
	switch frame {
	case "self":
		return "its own past"
	case "peers":
		return "its peers"
	case "everyone":
		return "everyone"
	case "":
		return ""
	}
	return Text(frame, 40)
}

// Observation names what was counted or looked at.
func Observation(name string) string {
	switch name {
	case "subjects":
		return "customers read"
	case "rows":
		return "rows returned"
	case "bytes":
		return "bytes returned"
	case "events":
		return "accesses"
	case "conversations":
		return "conversations opened"
	case "network":
		return "network"
	case "agent", "user_agent":
		return "client program"
	case "resource":
		return "table or resource"
	case "action":
		return "kind of action"
	case "shape":
		return "kind of query"
	case "country":
		return "country"
	case "hour":
		return "hour of the day"
	case "new":
		return "things never used before"
	case "denied":
		return "refused accesses"
	case "strangers":
		return "customers new to it and its team"
	case "unbounded":
		return "reads of everything at once"
	case "splits":
		return "returns within a session"
	case "order":
		return "order of the ids read"
	case "burst":
		return "burst of accesses"
	case "return":
		return "return after an absence"
	case "page":
		return "size of a single access"
	case "together":
		return "several oddities at once"
	case "rhythm":
		return "rhythm of the accesses"
	case "sequence":
		return "order of the steps"
	case "combination":
		return "combination of signs"
	case "silent":
		return "customers only looked at"
	case "unreasoned":
		return "customers without a known reason"
	case "neighbours":
		return "ids counted up without a reason"
	case "drift":
		return "pace against that of months ago"
	case "readers":
		return "readers without a stated reason"
	case "newcomers":
		return "accounts new to the network"
	case "refused":
		return "refused accounts"
	case "team":
		return "readings by the team together"
	case "silence":
		return "events told"
	case "lapse":
		return "what its collector saw"
	}
	return Text(strings.ReplaceAll(name, "_", " "), 60)
}

// Pattern says in a few words what a pattern was (vigil.FormPattern), and what is
// usual instead.
func Pattern(observation string) (seen, usual string) {
	switch observation {
	case "order":
		return "one id after the other", "ids in any order"
	case "burst":
		return "a burst within minutes", "spread over time"
	case "return":
		return "back after a long absence", "here every few days"
	case "page":
		return "far more records than such accesses show", "as many records as usual"
	case "together":
		return "many at a time", "one at a time"
	case "rhythm":
		return "gaps as steady as a script’s", "uneven gaps"
	case "sequence":
		return "steps in an unusual order", "steps as its peers take them"
	case "combination":
		return "signs that seldom meet", "signs that often meet"
	}
	return "out of the ordinary", "the ordinary"
}

// NotJudged says what could not be judged.
func NotJudged(name string) string {
	switch name {
	case "rows":
		return "rows returned: the source does not tell them"
	case "bytes":
		return "bytes returned: the source does not tell them"
	case "subjects":
		return "customers read: the source names none"
	case "conversations":
		return "conversations: the source names none"
	case "network":
		return "network: the source gives no address"
	case "user_agent", "agent":
		return "client program: the source does not name it"
	}
	return Text(strings.ReplaceAll(name, "_", " "), 200)
}

// Model says what a model looks at, empty for one that is not known.
func Model(name string) string {
	switch name {
	case "affinity":
		return "who reads what, and from where"
	case "forest":
		return "unusual combinations"
	case "novelty":
		return "what was not seen before"
	case "sequence":
		return "in what order and how steadily"
	case "together":
		return "several oddities at once"
	case "volume":
		return "how much"
	}
	return ""
}
