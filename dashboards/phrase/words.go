package phrase

import (
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
	case "rule":
		return "rules"
	}
	return Text(name, 40)
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
	}
	return Text(strings.ReplaceAll(name, "_", " "), 60)
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
