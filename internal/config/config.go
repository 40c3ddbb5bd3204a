package config

import (
	"maps"
	"time"

	"vigil"
	"vigil/collectors/formats"
)

// Config is the whole configuration file.
type Config struct {
	// DataDir is the folder that holds everything vigil keeps: the ledger, the
	// evidence and the pseudonym key. It is made with mode 0700 when absent. No
	// default. Required.
	DataDir string `yaml:"data_dir"`
	// Listen is the address of the console and of POST /v1/events, as host:port.
	// Port 0 takes a free one. Only this machine's own addresses are accepted:
	// what people type would go anywhere else in the clear. Default "127.0.0.1:8470".
	Listen string `yaml:"listen"`
	// PushListen is an address for POST /v1/events alone, as host:port, for
	// senders on other machines; they are known by their tokens. Empty, the
	// default, takes pushes at Listen.
	PushListen string `yaml:"push_listen"`
	// PushTLS is the certificate with which PushListen shows itself. Unset, it speaks
	// plain HTTP, as behind a proxy that ends TLS.
	PushTLS *ServerTLS `yaml:"push_tls"`
	// OTLPListen is an address for OTLP over gRPC, as host:port, by convention of port
	// 4317. It shows the certificate of PushTLS; without one only an address of this machine
	// alone is accepted. Empty, the default, takes OTLP over HTTP alone.
	OTLPListen string `yaml:"otlp_listen"`
	// ConsoleURL is the console's address as people reach it, for links in
	// messages, when a proxy that ends TLS stands before it. Empty uses Listen.
	ConsoleURL string `yaml:"console_url"`
	// Budget is how many false findings a day people accept. Zero, the default,
	// means one a day for each 1,000 actors, and at least one a month.
	Budget float64 `yaml:"budget"`
	// MaxActors bounds the actors held in full, about 10 KiB each, at least 256. Zero
	// means 100,000.
	MaxActors int `yaml:"max_actors"`
	// MaxCold bounds those who made room and are held in short, about 400 bytes each,
	// at least 256. Zero means ten times MaxActors.
	MaxCold int `yaml:"max_cold"`
	// Retention is how long events are kept. Default "180d"; zero keeps them for
	// ever.
	Retention Duration `yaml:"retention"`
	// CaseHold is for how much longer than Retention events are kept that lie in the time
	// of a case which is not resolved. Default "90d"; zero for not at all.
	CaseHold Duration `yaml:"case_hold"`
	// FindingRetention is how long closed findings and rollups are kept. Default
	// "730d"; zero keeps them for ever.
	FindingRetention Duration `yaml:"finding_retention"`
	// DiskFloor is the free space below which vigil takes in nothing more, so
	// that what it holds stays whole. Default "64MB".
	DiskFloor Size `yaml:"disk_floor"`
	// MaxSize bounds what is kept on disk. Beyond it nothing more is taken in until
	// pruning has made room. Zero, the default, leaves it to the disk.
	MaxSize Size `yaml:"max_size"`
	// PseudonymKey keys the pseudonyms, at least 16 bytes. When unset, a random
	// key is made once and kept in DataDir, readable by its owner only. Whoever
	// holds it can link pseudonyms to people; whoever loses it gets new ones.
	PseudonymKey Secret `yaml:"pseudonym_key"`
	// Vault says whether what leads a pseudonym back to a name is kept, encrypted, for
	// reveals that two people approve: "on", the default, or "off". Off, nobody can be told
	// who a pseudonym is.
	Vault string `yaml:"vault"`
	// VaultKey keys the vault, at least 16 bytes. When unset, a random key is made once
	// and kept in DataDir, readable by its owner only. Whoever holds it and the vault has
	// the names; whoever loses it has none of before.
	VaultKey Secret `yaml:"vault_key"`
	// Sources are what is watched. Required, at least one.
	Sources []Source `yaml:"sources"`
	// Collectors are the remote vigils that send sources here. May be empty.
	Collectors []Collector `yaml:"collectors"`
	// Actors say more about identities than the logs do; the first rule that
	// matches is the one that counts. May be empty.
	Actors []ActorRule `yaml:"actors"`
	// Rules are the user's own rules: files, folders of .yaml files, or globs. A rule
	// with the id of one that is built in takes its place. May be empty.
	Rules []string `yaml:"rules"`
	// Feeds tell the reasons for reads: who works where, who answers for which
	// ticket, what customers allowed and vendors agreed to. May be empty.
	Feeds []Feed `yaml:"feeds"`
	// FeedPolls is how often the feeds' files are looked at. Default "@every 30s".
	FeedPolls string `yaml:"feed_polls"`
	// Users are those who work with vigil: who may do what by Slack. May be empty.
	Users []User `yaml:"users"`
	// Accounts says how people sign in to the console.
	Accounts Accounts `yaml:"accounts"`
	// Slack is where findings are told. Without a token they are printed.
	Slack Slack `yaml:"slack"`
	// Alerts says who is told what besides, and what happens when nobody answers.
	Alerts Alerts `yaml:"alerts"`
	// Organisation is who notifies the authority of a breach.
	Organisation Organisation `yaml:"organisation"`
	// AuditCheckpoints is where the audit log's head is kept outside.
	AuditCheckpoints AuditCheckpoints `yaml:"audit_checkpoints"`
	// Influx is a second home for the time series. Without a URL there is none.
	Influx Influx `yaml:"influx"`
	// Digest is when the day is summed up, as a cron expression of five fields
	// in UTC. Default "0 7 * * *"; "off" sends none.
	Digest string `yaml:"digest"`
	// Snapshots is how often the detector's state is kept. Default "@every 5m".
	Snapshots string `yaml:"snapshots"`
	// Ticks is how often the log is told how late it is. Default "@every 10s".
	Ticks string `yaml:"ticks"`
	// Sealing is how often accepted events become Parquet files. Default
	// "@every 5m".
	Sealing string `yaml:"sealing"`
	// Pruning is when what is older than Retention is deleted. Default
	// "30 3 * * *".
	Pruning string `yaml:"pruning"`
	// Previews is when history is judged again by other budgets, and by what is proposed, so
	// that the console's page of tuning opens with what they would have told. Default
	// "30 1 * * *"; "off" leaves it to people.
	Previews string `yaml:"previews"`
	// PreviewAccesses bounds what such a preview judges, in accesses, all its budgets
	// together: it tries fewer budgets, or none. Default 2000000; zero bounds nothing.
	PreviewAccesses int64 `yaml:"preview_accesses"`
}

// Source is one thing that is watched, and the one way in by which it is.
type Source struct {
	// Name tells the source apart, in the console and in every event. Letters,
	// digits, ".", "_" and "-", at most 64. Required and unique.
	Name string `yaml:"name"`
	// File lists files by glob ("/var/log/postgresql/*.log"); they are followed
	// as they grow and rotate. Exactly one way in, of which this is one, is required.
	File []string `yaml:"file"`
	// Push takes events in over HTTP.
	Push *Push `yaml:"push"`
	// OTLP takes logs and traces from OpenTelemetry exporters.
	OTLP *OTLP `yaml:"otlp"`
	// Syslog takes messages from syslog senders.
	Syslog *Syslog `yaml:"syslog"`
	// Kafka reads topics.
	Kafka *Kafka `yaml:"kafka"`
	// NATS reads a JetStream stream.
	NATS *NATS `yaml:"nats"`
	// Objects reads what is put into a bucket, container or folder.
	Objects *Objects `yaml:"objects"`
	// SQL reads an audit table as it grows.
	SQL *SQL `yaml:"sql"`
	// Redis reads what a Redis server's MONITOR tells.
	Redis *Redis `yaml:"redis"`
	// Zendesk, Salesforce, Intercom and Okta read these products' logs from their APIs.
	Zendesk    *Zendesk    `yaml:"zendesk"`
	Salesforce *Salesforce `yaml:"salesforce"`
	Intercom   *Intercom   `yaml:"intercom"`
	Okta       *Okta       `yaml:"okta"`
	// Collector names the remote collector that sends this source, one of Collectors.
	Collector string `yaml:"collector"`
	// Format is the log's format by name. Empty finds it by looking.
	Format string `yaml:"format"`
	// LogLinePrefix is PostgreSQL's setting of that name. Empty finds it by
	// looking.
	LogLinePrefix string `yaml:"log_line_prefix"`
	// LogFormat is nginx's setting of that name. Empty finds it by looking.
	LogFormat string `yaml:"log_format"`
	// Params are the format's other settings by name. May be empty.
	Params map[string]string `yaml:"params"`
	// Store names the system that holds the data, on each event that names none
	// itself. Empty uses the source's name.
	Store string `yaml:"store"`
	// Tenant is the organisation whose source this is. It separates pseudonyms:
	// the same id in two tenants gives two of them. Empty is a tenant too.
	Tenant string `yaml:"tenant"`
	// Mapping says how the store names its subjects and conversations.
	Mapping Mapping `yaml:"mapping"`
	// Quota is the most events a second that it may bring, averaged over a minute: what
	// is more waits at the source. Zero, the default, bounds nothing.
	Quota float64 `yaml:"quota"`
}

// Feed is one thing that tells reasons: files, or a way to push to.
type Feed struct {
	// Name tells the feed apart. Letters, digits, ".", "_" and "-", at most 64.
	// Required and unique among feeds.
	Name string `yaml:"name"`
	// Kind is what it tells: person, assignment, shift, change, consent, contract,
	// customer, purpose or honey. Required.
	Kind vigil.FactKind `yaml:"kind"`
	// File lists files by glob, which together are the feed; they are read again when
	// they change. Either this or Push is required, not both.
	File []string `yaml:"file"`
	// Push takes the feed over HTTP: PUT or POST /v1/feeds/NAME.
	Push *Push `yaml:"push"`
	// Tenant is the organisation that it is about, as of sources. Empty is one too.
	Tenant string `yaml:"tenant"`
	// Columns maps our columns to the feed's own ("actor: Employee ID"). May be empty.
	Columns map[string]string `yaml:"columns"`
	// Timezone is where times without a zone are meant ("Europe/Berlin"). Default UTC.
	Timezone string `yaml:"timezone"`
	// StaleAfter is how long it may say nothing new before that is told. Zero, the
	// default, learns it: four times the longest of the last eight pauses.
	StaleAfter Duration `yaml:"stale_after"`
	// MayShrink lets it lose more than half of its records at once, which is refused
	// otherwise. Default false.
	MayShrink bool `yaml:"may_shrink"`
}

// Push is a source that clients send events to: POST /v1/events.
type Push struct {
	// Token is the bearer token by which a sender is known to be this source. At
	// least 16 characters. Required.
	Token Secret `yaml:"token"`
}

// Mapping is a preset, settings of one's own, or both: one's own win.
type Mapping struct {
	// Preset names a schema that vigil knows, such as "chatwoot" or "rasa".
	Preset string `yaml:"preset"`
	// Tables maps a table, lower case, with or without its schema.
	Tables map[string]Table `yaml:"tables"`
	// Paths are URL path templates; the first that matches counts, and they come
	// before the preset's.
	Paths []Path `yaml:"paths"`
	// Params maps a query or statement parameter to subject, conversation,
	// tenant, ticket or limit.
	Params map[string]formats.Meaning `yaml:"params"`
}

// Table says what a table's columns mean.
type Table struct {
	// Columns maps a column to subject, conversation, tenant, ticket or limit.
	Columns map[string]formats.Meaning `yaml:"columns"`
	// Class is the sensitivity of what is in it, such as "chat" or "contact".
	Class string `yaml:"class"`
	// Ignore drops accesses that touch this table alone.
	Ignore bool `yaml:"ignore"`
}

// Path is a URL path template, such as "/api/conversations/{conversation}".
type Path struct {
	// Template is the path: a segment in braces is a meaning, "*" any one
	// segment, "**" the rest. Required.
	Template string `yaml:"template"`
	// Resource names what is behind it; empty uses the template's fixed part.
	Resource string `yaml:"resource"`
	// Class is the sensitivity of what is behind it.
	Class string `yaml:"class"`
	// Action overrides what the method implies.
	Action string `yaml:"action"`
}

// ActorRule says what sort of identity an actor is.
type ActorRule struct {
	// Match is a glob on the actor's login ("svc_*"). Empty matches each.
	Match string `yaml:"match"`
	// App is a glob on the client application. Empty matches each.
	App string `yaml:"app"`
	// Network is a CIDR prefix that the client's address must lie in. Empty
	// matches each.
	Network string `yaml:"network"`
	// Source is a glob on the source's name. Empty matches each.
	Source string `yaml:"source"`
	// Kind is human, service, bot, vendor, admin or anonymous. Empty leaves it.
	Kind vigil.ActorKind `yaml:"kind"`
	// Role, Team and Tenant are set where not empty.
	Role   string `yaml:"role"`
	Team   string `yaml:"team"`
	Tenant string `yaml:"tenant"`
}

// Slack is a Slack app's way in.
type Slack struct {
	// Token is the bot token ("xoxb-..."), with the scope chat:write. Unset
	// prints findings instead.
	Token Secret `yaml:"token"`
	// Channel is the channel's id ("C0123ABC"). Required with a token.
	Channel string `yaml:"channel"`
	// AppToken is an app-level token ("xapp-...") with the scope connections:write. With
	// it buttons and /vigil work over a connection that vigil opens (Socket Mode).
	AppToken Secret `yaml:"app_token"`
	// SigningSecret is the app's signing secret. With it buttons and /vigil work over
	// HTTP: Slack posts to /slack/ at push_listen, or at listen without one.
	SigningSecret Secret `yaml:"signing_secret"`
	// NoPictures leaves out the pictures of seen against expected, which need the scope
	// files:write. Default false.
	NoPictures bool `yaml:"no_pictures"`
	// APIURL is where Slack's API answers. Empty means Slack's own.
	APIURL string `yaml:"api_url"`
}

// Influx is an InfluxDB server of version 1.8 or 2.
type Influx struct {
	// URL is the server's address, such as "http://127.0.0.1:8086". Empty writes
	// to none.
	URL string `yaml:"url"`
	// Token is the API token; "user:password" for version 1.8.
	Token Secret `yaml:"token"`
	// Org is the organisation. Empty for version 1.8.
	Org string `yaml:"org"`
	// Bucket is the bucket; "database/retention-policy" for version 1.8.
	Bucket string `yaml:"bucket"`
}

// DefaultConfig returns the configuration in which nothing is set. It is the one
// place where defaults stand.
func DefaultConfig() *Config {
	const day = 24 * time.Hour
	return &Config{
		Listen:           "127.0.0.1:8470",
		Retention:        Duration(180 * day),
		CaseHold:         Duration(90 * day),
		FindingRetention: Duration(730 * day),
		DiskFloor:        64 << 20,
		Vault:            "on",
		Digest:           "0 7 * * *",
		Accounts:         Accounts{Idle: Duration(15 * time.Minute), Absolute: Duration(8 * time.Hour)},
		Alerts:           Alerts{Weekly: "0 7 * * 1", Report: "0 6 1 * *"},
		AuditCheckpoints: AuditCheckpoints{Every: "@every 1m"},
		Snapshots:        "@every 5m",
		Ticks:            "@every 10s",
		FeedPolls:        "@every 30s",
		Sealing:          "@every 5m",
		Pruning:          "30 3 * * *",
		Previews:         "30 1 * * *",
		PreviewAccesses:  2_000_000,
	}
}

// FormatParams returns the source's settings for its format by name, with
// LogLinePrefix and LogFormat among them.
func (s *Source) FormatParams() map[string]string {
	params := maps.Clone(s.Params)
	if params == nil {
		params = map[string]string{}
	}
	if s.LogLinePrefix != "" {
		params["log_line_prefix"] = s.LogLinePrefix
	}
	if s.LogFormat != "" {
		params["log_format"] = s.LogFormat
	}
	return params
}

// StoreName returns Store, or the source's name when it is empty.
func (s *Source) StoreName() string {
	if s.Store != "" {
		return s.Store
	}
	return s.Name
}

// Formats returns the mapping in the form that decoders take, laid over preset,
// which may be nil. It returns nil when both say nothing.
func (m *Mapping) Formats(preset *formats.Mapping) *formats.Mapping {
	if preset == nil && len(m.Tables)+len(m.Paths)+len(m.Params) == 0 {
		return nil
	}
	out := &formats.Mapping{Tables: map[string]formats.Table{}, Params: map[string]formats.Meaning{}}
	for name, t := range m.Tables {
		out.Tables[name] = formats.Table{Columns: maps.Clone(t.Columns), Class: t.Class, Ignore: t.Ignore}
	}
	for _, p := range m.Paths {
		out.Paths = append(out.Paths, formats.Path(p))
	}
	maps.Copy(out.Params, m.Params)
	if preset == nil {
		return out
	}
	for name, t := range preset.Tables {
		if _, own := out.Tables[name]; !own {
			out.Tables[name] = t
		}
	}
	out.Paths = append(out.Paths, preset.Paths...)
	for name, meaning := range preset.Params {
		if _, own := out.Params[name]; !own {
			out.Params[name] = meaning
		}
	}
	return out
}
