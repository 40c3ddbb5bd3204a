package config

import (
	"vigil"
)

// Alerts says who is told what, by which way, and what happens when nobody answers.
type Alerts struct {
	// Channels are ways to tell, besides the one under slack, which is called "slack". May
	// be empty.
	Channels []Channel `yaml:"channels"`
	// Routes say who is told what: the first that fits counts. What none fits is told by
	// Default. May be empty.
	Routes []Route `yaml:"routes"`
	// Default is for what no route fits. Empty tells it by every channel.
	Default Target `yaml:"default"`
	// Inhibit keeps findings back while another case tells them. Besides, what a network,
	// a team or a customer's readers did is told by the cases of the people who did it. May be empty.
	Inhibit []Inhibit `yaml:"inhibit"`
	// Limits bound how much a channel is told.
	Limits Limits `yaml:"limits"`
	// Reminders say when a case that nobody acknowledged is told again.
	Reminders Reminders `yaml:"reminders"`
	// Escalations say who is called while nobody acknowledges. May be empty.
	Escalations []Escalation `yaml:"escalations"`
	// Rotas say whose turn it is. May be empty.
	Rotas []Rota `yaml:"rotas"`
	// Fallback is the channel that takes what another can't deliver for 45 seconds. Empty
	// prints it on the standard output, as happens too when the fallback fails.
	Fallback string `yaml:"fallback"`
	// Officers are the channels of those who answer for names: they are told that somebody
	// asked for the name behind a pseudonym and waits for a second person. Empty tells nobody,
	// and it stands in the console alone.
	Officers []string `yaml:"officers"`
	// Templates is a folder of templates for the words of messages. Empty uses vigil's own.
	Templates string `yaml:"templates"`
	// Weekly is when the week is summed up, with the exceptions and silences that end
	// soon, as a cron expression in UTC. Default "0 7 * * 1"; "off" sends none.
	Weekly string `yaml:"weekly"`
	// Report is when the audit report of the month before is made, as a cron expression
	// in UTC. Default "0 6 1 * *"; "off" makes none.
	Report string `yaml:"report"`
}

// Match says which findings something is for: of what it names all must fit, and of a
// list one.
type Match struct {
	// MinSeverity and MaxSeverity bound the severity (low, medium, high, critical), both
	// included. Empty for no bound.
	MinSeverity vigil.Severity `yaml:"min_severity"`
	MaxSeverity vigil.Severity `yaml:"max_severity"`
	// About lists what the finding may be about: actor, network, team, subject, source.
	About []vigil.About `yaml:"about"`
	// Scenarios are lanes (quarter, day, week, rule, subject, network, team, source) and
	// names of rules. May be empty.
	Scenarios []string `yaml:"scenarios"`
	// Stores, Sources, Tenants, Teams and Roles are names. May be empty.
	Stores  []string `yaml:"stores"`
	Sources []string `yaml:"sources"`
	Tenants []string `yaml:"tenants"`
	Teams   []string `yaml:"teams"`
	Roles   []string `yaml:"roles"`
	// Actors are pseudonyms. May be empty.
	Actors []string `yaml:"actors"`
}

// Target is who is told.
type Target struct {
	// Notify are names of channels.
	Notify []string `yaml:"notify"`
	// Escalation names what happens when nobody acknowledges. Empty for reminders only.
	Escalation string `yaml:"escalation"`
}

// Route is one rule of who is told.
type Route struct {
	// Match says of what. Empty fits everything.
	Match Match `yaml:"match"`
	// Notify are names of channels. None keeps it to the console and the digest.
	Notify []string `yaml:"notify"`
	// Escalation names what happens when nobody acknowledges. Empty for reminders only.
	Escalation string `yaml:"escalation"`
	// Continue lets the routes below be tried as well. Default false.
	Continue bool `yaml:"continue"`
}

// Inhibit keeps back what Mute fits while a case that When fits is open, was told within
// a day, and agrees with it in all of Equal.
type Inhibit struct {
	// When is of the case that is told, Mute of the finding that is kept back.
	When Match `yaml:"when"`
	Mute Match `yaml:"mute"`
	// Equal are of actor, team, tenant, store and source. May be empty.
	Equal []string `yaml:"equal"`
}

// Limits bound how much a channel is told.
type Limits struct {
	// Mild is how many new cases of severity low and medium may be told within Period;
	// what is more is counted in one message. Zero means 10.
	Mild int `yaml:"mild"`
	// High is as Mild, of severity high. Zero means 10. Critical ones are never kept back.
	High int `yaml:"high"`
	// Period is the time for both. Zero means 10m.
	Period Duration `yaml:"period"`
	// EditEvery is the least time between two edits of a card whose severity and state
	// stay the same. Zero means 30s.
	EditEvery Duration `yaml:"edit_every"`
}

// Reminders say after how long a case that was told and that nobody acknowledged is told
// again: up to three times, the wait doubling.
type Reminders struct {
	// Critical, High and Medium are by severity. Zero means 10m, 30m and 8h.
	Critical Duration `yaml:"critical"`
	High     Duration `yaml:"high"`
	Medium   Duration `yaml:"medium"`
	// Off sends none. Default false.
	Off bool `yaml:"off"`
}

// Escalation is who is called, one level after the other, while nobody acknowledges.
type Escalation struct {
	// Name is by what routes name it. Required and unique.
	Name string `yaml:"name"`
	// Levels follow one another. Required, at most 10.
	Levels []Level `yaml:"levels"`
}

// Level is one step of an escalation.
type Level struct {
	// After is the time since the case was told. Required, and more than the level
	// before.
	After Duration `yaml:"after"`
	// Notify are channels that are told from then on, Call users who are called by name,
	// Rotas those whose turn it is. At least one of the three is required.
	Notify []string `yaml:"notify"`
	Call   []string `yaml:"call"`
	Rotas  []string `yaml:"rotas"`
}

// Rota says whose turn it is: users take turns from a day on.
type Rota struct {
	// Name is by what levels name it. Required and unique.
	Name string `yaml:"name"`
	// People are names of users in the order of their turns. Required.
	People []string `yaml:"people"`
	// Every is day or week. Default week.
	Every string `yaml:"every"`
	// From is the day on which the first one's first turn begins, as 2026-01-05. Required.
	From string `yaml:"from"`
	// At is when turns begin, as 09:00. Default 00:00.
	At string `yaml:"at"`
	// Zone is by which clock, as Europe/Berlin. Default UTC.
	Zone string `yaml:"zone"`
}

// ChannelNames lists the ways to tell by name, in order.
func (c *Config) ChannelNames() []string {
	var names []string
	if c.Slack.Token.IsSet() {
		names = append(names, "slack")
	}
	for i := range c.Alerts.Channels {
		names = append(names, c.Alerts.Channels[i].Name)
	}
	return names
}
