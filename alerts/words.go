package alerts

import (
	"fmt"
	"strings"

	"vigil"
)

// SeverityWord is the severity as a title's first word.
func SeverityWord(s vigil.Severity) string {
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
	return "Finding"
}

// subjectOf is what the finding is about, in a few words.
func subjectOf(f *vigil.Finding) string {
	switch f.About {
	case vigil.AboutSubject:
		return "customer " + name(f.Subject)
	case vigil.AboutSource:
		return "source " + name(f.Source)
	case vigil.AboutNetwork:
		return "network " + name(f.Network)
	case vigil.AboutTeam:
		return "team " + name(f.Team)
	}
	return kindWord(f.ActorKind) + " " + name(f.Actor)
}

// CaseTitle is what a case is about, in a few words.
func CaseTitle(c *vigil.Case) string {
	return subjectOf(&vigil.Finding{
		About: c.About, Actor: c.Actor, ActorKind: c.ActorKind, Subject: c.Subject, Source: c.Source, Network: c.Network, Team: c.Team,
	})
}

// Bound says an amount with its unit and its span: "50 customers in a day".
func Bound(observation, span string, n float64) string {
	return Number(n) + " " + noun(observation, n) + spanWord(span)
}

func kindWord(k vigil.ActorKind) string {
	switch k {
	case vigil.KindHuman:
		return "person"
	case vigil.KindService:
		return "service account"
	case vigil.KindBot:
		return "bot"
	case vigil.KindVendor:
		return "vendor account"
	case vigil.KindAdmin:
		return "administrator"
	case vigil.KindAnonymous:
		return "anonymous access"
	}
	return "account"
}

// whoLabel names the field that tells what the finding is about.
func whoLabel(a vigil.About) string {
	switch a {
	case vigil.AboutSubject:
		return "Customer"
	case vigil.AboutSource:
		return "Source"
	case vigil.AboutNetwork:
		return "Network"
	case vigil.AboutTeam:
		return "Team"
	}
	return "Who"
}

// partLabel names the field that tells who took part; empty for what nobody does.
func partLabel(a vigil.About) string {
	switch a {
	case vigil.AboutSubject:
		return "Read by"
	case vigil.AboutNetwork:
		return "Who came"
	case vigil.AboutTeam:
		return "Who did most"
	}
	return ""
}

// untold lists in words what could not be judged.
func untold(what []string, max int) string {
	var words []string
	for i, w := range what {
		if i == max {
			words = append(words, fmt.Sprintf("%d more", len(what)-max))
			break
		}
		words = append(words, noun(w, 2))
	}
	return strings.Join(words, ", ")
}

func noun(observation string, n float64) string {
	one := Cut(Clean(strings.ReplaceAll(observation, "_", " ")), 40)
	many := one
	switch observation {
	case "subjects":
		one, many = "customer", "customers"
	case "events":
		one, many = "access", "accesses"
	case "rows":
		one, many = "row", "rows"
	case "bytes":
		one, many = "byte", "bytes"
	case "conversations":
		one, many = "conversation", "conversations"
	case "resources":
		one, many = "resource", "resources"
	case "denied":
		one, many = "refused access", "refused accesses"
	case "new":
		one, many = "thing never used before", "things never used before"
	case "strangers":
		one, many = "customer new to it and its team", "customers new to it and its team"
	case "unbounded":
		one, many = "read of everything at once", "reads of everything at once"
	case "splits":
		one, many = "return within a session", "returns within a session"
	case "silent":
		one, many = "customer only looked at", "customers only looked at"
	case "unreasoned":
		one, many = "customer without a known reason", "customers without a known reason"
	case "neighbours":
		one, many = "id counted up without a reason", "ids counted up without a reason"
	case "drift":
		one, many = "at a pace unlike months ago", "at a pace unlike months ago"
	case "readers":
		one, many = "reader without a stated reason", "readers without a stated reason"
	case "newcomers":
		one, many = "account new to the network", "accounts new to the network"
	case "refused":
		one, many = "refused account", "refused accounts"
	case "team":
		one, many = "reading by the team", "readings by the team"
	case "silence":
		one, many = "event", "events"
	case "lapse":
		one, many = "thing seen of the source", "things seen of the source"
	case "agent":
		one, many = "client program", "client programs"
	case "shape":
		one, many = "kind of query", "kinds of query"
	case "action":
		one, many = "kind of action", "kinds of action"
	case "hour":
		one, many = "hour of the day", "hours of the day"
	}
	if n == 1 {
		return one
	}
	return many
}

func spanWord(span string) string {
	switch span {
	case "minute":
		return " in a minute"
	case "quarter":
		return " in a quarter-hour"
	case "hour":
		return " in an hour"
	case "day":
		return " in a day"
	case "week":
		return " in a week"
	case "event":
		return " at once"
	}
	return ""
}

func frameWord(frame string) string {
	switch frame {
	case "self":
		return ", judged by its own past"
	case "peers":
		return ", judged by its peers"
	case "everyone":
		return ", judged by everyone"
	}
	return ""
}

// patternWords says what a pattern was where nobody else did.
func patternWords(observation string) string {
	switch observation {
	case "order":
		return "one id read after the other"
	case "burst":
		return "a burst of accesses within minutes"
	case "return":
		return "back after a long absence"
	case "rhythm":
		return "gaps as steady as a script's"
	case "sequence":
		return "steps in an order that its peers don't take"
	}
	return "several oddities at once"
}
