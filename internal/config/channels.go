package config

import (
	"fmt"
	"slices"
	"strings"

	"vigil"
)

// maxChannels bounds the ways to tell.
const maxChannels = 50

// Channel is one way to tell: its name, and exactly one of the others.
type Channel struct {
	// Name is by what routes name it. Letters, digits, ".", "_" and "-", at most 64.
	// Required and unique; "slack", "terminal" and "pipeline" are taken.
	Name string `yaml:"name"`
	// Slack is another channel of the workspace under slack.
	Slack *SlackChannel `yaml:"slack"`
	// Email sends mails.
	Email *Email `yaml:"email"`
	// Webhook posts signed CloudEvents.
	Webhook *Webhook `yaml:"webhook"`
	// Teams posts to a channel of Microsoft Teams.
	Teams *Teams `yaml:"teams"`
	// PagerDuty, Opsgenie and Alertmanager call people.
	PagerDuty    *PagerDuty    `yaml:"pagerduty"`
	Opsgenie     *Opsgenie     `yaml:"opsgenie"`
	Alertmanager *Alertmanager `yaml:"alertmanager"`
	// Jira makes issues.
	Jira *Jira `yaml:"jira"`
	// OCSFFile, OCSFSyslog, OCSFHTTP and OCSFKafka hand OCSF Detection Findings to a SIEM.
	OCSFFile   *OCSFFile   `yaml:"ocsf_file"`
	OCSFSyslog *OCSFSyslog `yaml:"ocsf_syslog"`
	OCSFHTTP   *OCSFHTTP   `yaml:"ocsf_http"`
	OCSFKafka  *OCSFKafka  `yaml:"ocsf_kafka"`
}

// SlackChannel is a further channel of the workspace whose token stands under slack.
type SlackChannel struct {
	// Channel is the channel's id ("C0123ABC"). Required.
	Channel string `yaml:"channel"`
}

// Email sends mails.
type Email struct {
	// Host is the mail server's name, as its certificate says it. Required.
	Host string `yaml:"host"`
	// Port is its port; zero means 587 for starttls, 465 for tls and 25 for none.
	Port int `yaml:"port"`
	// Security is "starttls", "tls" or "none"; empty means starttls.
	Security string `yaml:"security"`
	// Username and Password are for servers that ask who sends; empty for those that
	// don't. They are never sent without TLS.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// From is the sender, "vigil@example.com" or "vigil <vigil@example.com>". Required.
	From string `yaml:"from"`
	// To are the recipients, each of them seen by the others; at most 50.
	// Required.
	To []string `yaml:"to"`
	// Hello is this machine's name for the server; empty means the operating system's.
	Hello string `yaml:"hello"`
	// CAFile holds PEM certificates of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
	// Timeout bounds the sending of one mail; zero means 30s.
	Timeout Duration `yaml:"timeout"`
}

// Webhook posts signed CloudEvents.
type Webhook struct {
	// URL is where events are posted, https://... Required.
	URL Secret `yaml:"url"`
	// Secret is the key of the signature: "whsec_" and at least 24 bytes in base64, or
	// any text of at least 24 characters. Required.
	Secret Secret `yaml:"secret"`
	// OldSecret signs too while the receiver changes over to Secret; empty for none.
	OldSecret Secret `yaml:"old_secret"`
	// Headers are sent with each event, such as Authorization; at most 20.
	Headers map[string]Secret `yaml:"headers"`
	// Source says in the events who sent them; empty means the console's address, or
	// "/vigil" without one.
	Source string `yaml:"source"`
	// AllowPrivate lets the receiver be on this machine or in a private network, and
	// be spoken to by plain http.
	AllowPrivate bool `yaml:"allow_private"`
	// CAFile holds PEM certificates of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
	// Timeout bounds one request; zero means 10s.
	Timeout Duration `yaml:"timeout"`
}

// Teams posts to a channel of Microsoft Teams by a workflow.
type Teams struct {
	// URL is the webhook of a workflow ("When a Teams webhook request is received"),
	// with its key. Required.
	URL Secret `yaml:"url"`
	// AllowPrivate lets the address be on this machine or in a private network, and be
	// spoken to by plain http, as for a gateway of one's own.
	AllowPrivate bool `yaml:"allow_private"`
	// CAFile holds PEM certificates of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
	// Timeout bounds one request; zero means 10s.
	Timeout Duration `yaml:"timeout"`
}

// PagerDuty calls people by its Events API.
type PagerDuty struct {
	// RoutingKey is the integration key of a service's integration "Events API v2", 32
	// letters and digits. Required.
	RoutingKey Secret `yaml:"routing_key"`
	// Region is where the account lives: "us" or "eu". Empty means us.
	Region string `yaml:"region"`
	// APIURL is where the Events API answers, without "/v2/enqueue"; empty means the
	// region's own.
	APIURL string `yaml:"api_url"`
	// AllowPrivate lets APIURL be in a private network, and http. Default false.
	AllowPrivate bool `yaml:"allow_private"`
	// Timeout bounds one request; zero means 10 s, at most 2 min.
	Timeout Duration `yaml:"timeout"`
	// CAFile holds certificates (PEM) of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
}

// Opsgenie calls people by its Alert API, or that of Jira Service Management.
type Opsgenie struct {
	// APIKey is the key of an integration "API" of a team, not a user's. Required.
	APIKey Secret `yaml:"api_key"`
	// Service is "opsgenie", or "jsm" for Jira Service Management. Empty means opsgenie.
	Service string `yaml:"service"`
	// Region is where the Opsgenie account lives: "us" or "eu". Empty means us. Jira
	// Service Management has one address for all.
	Region string `yaml:"region"`
	// APIURL is where the API answers, up to and with "/v2"; empty means the service's
	// own.
	APIURL string `yaml:"api_url"`
	// Teams are who is to respond, by the names of teams; empty leaves it to the
	// integration. At most 50. For Opsgenie only: Jira Service Management wants ids, and
	// the integration's own team responds there.
	Teams []string `yaml:"teams"`
	// Tags are added to each alert, at most 10 of 50 characters.
	Tags []string `yaml:"tags"`
	// AllowPrivate lets APIURL be in a private network, and http. Default false.
	AllowPrivate bool `yaml:"allow_private"`
	// Timeout bounds one request; zero means 10 s, at most 2 min.
	Timeout Duration `yaml:"timeout"`
	// CAFile holds certificates (PEM) of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
}

// Alertmanager hands alerts to Prometheus Alertmanagers.
type Alertmanager struct {
	// URLs are where the Alertmanagers of one cluster answer, without "/api/v2/alerts";
	// one to ten. Required.
	URLs []string `yaml:"urls"`
	// User and Password are for basic authentication; both empty for none.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	// Token is a bearer token instead; empty for none.
	Token Secret `yaml:"token"`
	// Labels are added to each alert, at most 20, such as {env: prod}. They can't be
	// alertname, service, severity, case or about.
	Labels map[string]string `yaml:"labels"`
	// Lasts is after how long an alert ends by itself that vigil neither sent again nor
	// ended; zero means 168 h (a week), at least 1 h.
	Lasts Duration `yaml:"lasts"`
	// AllowPrivate lets the addresses be in a private network, and http. Default false.
	AllowPrivate bool `yaml:"allow_private"`
	// Timeout bounds one request; zero means 10 s, at most 2 min.
	Timeout Duration `yaml:"timeout"`
	// CAFile holds certificates (PEM) of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
}

// Jira makes an issue of each case.
type Jira struct {
	// URL is where Jira is reached, such as https://example.atlassian.net. Required.
	URL string `yaml:"url"`
	// Edition is "cloud" or "datacenter". Empty means cloud.
	Edition string `yaml:"edition"`
	// User is the account of the token: an e-mail address on Jira Cloud, where it is
	// required. Empty on Data Center for a personal access token, a user's name there
	// for a password in Token.
	User string `yaml:"user"`
	// Token is the API token (Cloud), personal access token or password (Data Center).
	// Required.
	Token Secret `yaml:"token"`
	// Project is the key of the project in which issues are created, such as SEC.
	// Required.
	Project string `yaml:"project"`
	// IssueType is the name of their type. Empty means Task.
	IssueType string `yaml:"issue_type"`
	// Priorities are the names of priorities by severity (critical, high, medium, low);
	// one that is missing is Jira's own (Highest, High, Medium, Low), one that is empty
	// is left to the project.
	Priorities map[vigil.Severity]string `yaml:"priorities"`
	// Labels are added to each issue, at most 20; they hold no spaces.
	Labels []string `yaml:"labels"`
	// Fields are set when an issue is created, by the field's id: text, or JSON in the form
	// that Jira's API wants, such as {components: '[{"name": "SOC"}]', customfield_10010:
	// Breach}. At most 50. Those that vigil sets itself can't be given.
	Fields map[string]string `yaml:"fields"`
	// Done is the name of the status to which the issue of a resolved case goes, such as
	// Done. Empty leaves the issue where it is, and a comment says it.
	Done string `yaml:"done"`
	// Reopen is the name of the status to which the issue goes when its case opens anew.
	// Empty leaves it where it is, and a comment says it.
	Reopen string `yaml:"reopen"`
	// AllowPrivate lets URL be in a private network, and http. Default false.
	AllowPrivate bool `yaml:"allow_private"`
	// Timeout bounds one request; zero means 10 s, at most 2 min.
	Timeout Duration `yaml:"timeout"`
	// CAFile holds certificates (PEM) of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
}

// OCSFFile writes OCSF Detection Findings into a file, one on each line.
type OCSFFile struct {
	// Path is the file. Its folder must be there. Required.
	Path string `yaml:"path"`
	// RotateBytes is the size at which the file is set aside and a new one begun, in bytes;
	// zero means 100 MiB, less than zero never.
	RotateBytes int64 `yaml:"rotate_bytes"`
	// RotateEvery is the span of time, counted in UTC, of which one file holds the events:
	// 24h begins a new file with the first event of a day. Zero means 24 hours, less than
	// zero never.
	RotateEvery Duration `yaml:"rotate_every"`
	// Keep is how many files that were set aside are kept; zero means 30, less than zero
	// all.
	Keep int `yaml:"keep"`
	// Sync says when the disk is told to keep an event: "always", before the next, or
	// "never", when the system likes. Empty means always.
	Sync string `yaml:"sync"`
	// MaxBytes bounds one event, in bytes; zero means 64 KiB.
	MaxBytes int `yaml:"max_bytes"`
}

// OCSFSyslog sends OCSF Detection Findings by syslog.
type OCSFSyslog struct {
	// Address is the receiver's host:port. Required.
	Address string `yaml:"address"`
	// Transport is "udp", "tcp" or "tls"; empty means tcp.
	Transport string `yaml:"transport"`
	// TLS says how the receiver is trusted, for the transport tls.
	TLS *TLS `yaml:"tls"`
	// Facility is syslog's name of what kind of program it is, such as "local0" or
	// "authpriv"; empty means local0.
	Facility string `yaml:"facility"`
	// AppName and Hostname stand in the header; empty means "vigil" and the machine's name.
	AppName  string `yaml:"app_name"`
	Hostname string `yaml:"hostname"`
	// MaxBytes bounds one message with its header, in bytes: what is longer is cut by us,
	// who say so in it, rather than by the receiver. 8 KiB, which is the least, to 64 KiB;
	// zero means 8 KiB.
	MaxBytes int `yaml:"max_bytes"`
	// Timeout bounds one message, with its connection. Zero means 10 seconds.
	Timeout Duration `yaml:"timeout"`
}

// OCSFHTTP posts OCSF Detection Findings, to Splunk among others.
type OCSFHTTP struct {
	// URL is the endpoint, such as https://splunk.example.org:8088/services/collector/event.
	// Required.
	URL Secret `yaml:"url"`
	// Format is "json", "ndjson", "array" or "splunk"; empty means json.
	Format string `yaml:"format"`
	// Token signs in; empty does not. It goes as "Authorization: Bearer TOKEN", to Splunk
	// as "Authorization: Splunk TOKEN", and alone where TokenHeader names another header.
	Token       Secret `yaml:"token"`
	TokenHeader string `yaml:"token_header"`
	// Headers are sent besides.
	Headers map[string]Secret `yaml:"headers"`
	// Gzip packs the body.
	Gzip bool `yaml:"gzip"`
	// Index, Source, SourceType and Host are Splunk's: empty means the token's own index,
	// "vigil", "vigil:ocsf" and none.
	Index      string `yaml:"index"`
	Source     string `yaml:"source"`
	SourceType string `yaml:"sourcetype"`
	Host       string `yaml:"host"`
	// Acknowledge waits until Splunk says that the event is indexed. The token must be made
	// with indexer acknowledgement.
	Acknowledge bool `yaml:"acknowledge"`
	// AllowPrivate lets the endpoint be on this machine or in a private network, and be
	// spoken to by plain http.
	AllowPrivate bool `yaml:"allow_private"`
	// CAFile holds PEM certificates of authorities that are trusted besides the system's.
	CAFile string `yaml:"ca_file"`
	// MaxBytes bounds one event, in bytes; zero means 64 KiB.
	MaxBytes int `yaml:"max_bytes"`
	// Timeout bounds one request with its answer; zero means 10 seconds.
	Timeout Duration `yaml:"timeout"`
}

// OCSFKafka writes OCSF Detection Findings to a topic.
type OCSFKafka struct {
	// Brokers are the first to ask, as host:port. At least one.
	Brokers []string `yaml:"brokers"`
	// Topic is where events go. It must be there. Required.
	Topic string `yaml:"topic"`
	// TLS says how brokers are trusted; nil connects without.
	TLS *TLS `yaml:"tls"`
	// SASL is how we sign in; nil does not.
	SASL *SASL `yaml:"sasl"`
	// MaxBytes bounds one event, in bytes; zero means 64 KiB.
	MaxBytes int `yaml:"max_bytes"`
	// Timeout bounds how long an event may take; zero means 15 seconds.
	Timeout Duration `yaml:"timeout"`
}

// ways lists the ways to tell that a channel names.
func (c *Channel) ways() (out []string) {
	for _, w := range []struct {
		name string
		set  bool
	}{
		{"slack", c.Slack != nil}, {"email", c.Email != nil}, {"webhook", c.Webhook != nil}, {"teams", c.Teams != nil},
		{"pagerduty", c.PagerDuty != nil}, {"opsgenie", c.Opsgenie != nil}, {"alertmanager", c.Alertmanager != nil}, {"jira", c.Jira != nil},
		{"ocsf_file", c.OCSFFile != nil}, {"ocsf_syslog", c.OCSFSyslog != nil}, {"ocsf_http", c.OCSFHTTP != nil}, {"ocsf_kafka", c.OCSFKafka != nil},
	} {
		if w.set {
			out = append(out, w.name)
		}
	}
	return out
}

// channelWays are all ways to tell.
const channelWays = "slack, email, webhook, teams, pagerduty, opsgenie, alertmanager, jira, ocsf_file, ocsf_syslog, ocsf_http, ocsf_kafka"

// channels checks the ways to tell, and whether each can be made of its settings.
func (c *checker) channels() {
	all := c.cfg.Alerts.Channels
	if len(all) > maxChannels {
		c.at("alerts.channels", fmt.Sprintf("has %d entries, at most %d are told", len(all), maxChannels), "")
		return
	}
	seen := map[string]int{}
	for i := range all {
		ch := &all[i]
		field := fmt.Sprintf("alerts.channels[%d]", i)
		first, twice := seen[ch.Name]
		switch {
		case ch.Name == "":
			c.at(field+".name", "is missing", "give each channel a name of its own")
		case !entryName.MatchString(ch.Name):
			c.at(field+".name", fmt.Sprintf("%q is no name", ch.Name), `use letters, digits, ".", "_" and "-", at most 64`)
		case slices.Contains([]string{"slack", "terminal", "pipeline"}, ch.Name):
			c.at(field+".name", fmt.Sprintf("%q is taken by vigil itself", ch.Name), "choose another name")
		case twice:
			c.at(field+".name", fmt.Sprintf("%q is also the name of alerts.channels[%d]", ch.Name, first), "give each channel a name of its own")
		}
		seen[ch.Name] = i
		switch ways := ch.ways(); {
		case len(ways) == 0:
			c.at(field, "says no way to tell", "set one of "+channelWays)
		case len(ways) > 1:
			c.at(field, "says several ways to tell: "+strings.Join(ways, ", "), "make a channel of each")
		case ch.Slack != nil && !c.cfg.Slack.Token.IsSet():
			c.at(field+".slack", "needs the workspace's token", "set slack.token and slack.channel")
		case c.known.Channel != nil:
			if err := c.known.Channel(c.cfg, ch); err != nil {
				c.at(field+"."+ways[0], err.Error(), "")
			}
		}
	}
}

// channel checks that there is a channel of a name.
func (c *checker) channel(field, name string) {
	if names := c.cfg.ChannelNames(); !slices.Contains(names, name) {
		c.at(field, fmt.Sprintf("there is no channel %q", name), "the channels are "+strings.Join(names, ", "))
	}
}

// policy checks who is told what.
func (c *checker) policy() {
	a := &c.cfg.Alerts
	for i, name := range a.Officers {
		c.channel(fmt.Sprintf("alerts.officers[%d]", i), name)
	}
	if a.Fallback != "" {
		c.channel("alerts.fallback", a.Fallback)
	}
	var users []string
	for i := range c.cfg.Users {
		users = append(users, c.cfg.Users[i].Name)
	}
	known := func(field string, names []string) {
		for _, n := range names {
			if !slices.Contains(users, n) {
				c.at(field, fmt.Sprintf("there is no user %q", n), "add them under users")
			}
		}
	}
	escalations, rotas := map[string]int{}, map[string]int{}
	for i := range a.Escalations {
		c.listed("alerts.escalations", a.Escalations[i].Name, escalations, i)
		for j := range a.Escalations[i].Levels {
			known(fmt.Sprintf("alerts.escalations[%d].levels[%d].call", i, j), a.Escalations[i].Levels[j].Call)
		}
	}
	for i := range a.Rotas {
		c.listed("alerts.rotas", a.Rotas[i].Name, rotas, i)
		known(fmt.Sprintf("alerts.rotas[%d].people", i), a.Rotas[i].People)
	}
	if c.known.Policy == nil {
		return
	}
	for _, err := range c.known.Policy(c.cfg) {
		field, message, ok := strings.Cut(err.Error(), ": ")
		if !ok {
			field, message = "", err.Error()
		}
		c.at("alerts."+numbered(numbered(field, "escalations", escalations), "rotas", rotas), message, "")
	}
}

// numbered makes of a field of a list whose entries the policy knows by name one of the
// file. Of names that begin alike, or hold a dot, the longest that fits is meant.
func numbered(field, list string, entries map[string]int) string {
	rest, ok := strings.CutPrefix(field, list+".")
	if !ok {
		return field
	}
	longest, found := "", false
	for name := range entries {
		after, ok := strings.CutPrefix(rest, name)
		if ok && (after == "" || after[0] == '.') && (!found || len(name) > len(longest)) {
			longest, found = name, true
		}
	}
	if !found {
		return field
	}
	return fmt.Sprintf("%s[%d]%s", list, entries[longest], rest[len(longest):])
}

// listed checks the name of the i-th entry of a list, and notes it in seen.
func (c *checker) listed(list, name string, seen map[string]int, i int) {
	field := fmt.Sprintf("%s[%d].name", list, i)
	first, twice := seen[name]
	switch {
	case !entryName.MatchString(name):
		c.at(field, fmt.Sprintf("%q is no name", name), `use letters, digits, ".", "_" and "-", at most 64`)
	case twice:
		c.at(field, fmt.Sprintf("%q is also the name of %s[%d]", name, list, first), "give each a name of its own")
	}
	seen[name] = i
}
