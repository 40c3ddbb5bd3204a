package config

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/internal/yaml"
)

// The least lengths of secrets, in bytes.
const (
	minKey   = 16
	minToken = 16
)

// maxSources and maxRules bound what one file may configure.
const (
	maxSources = 1_000
	maxRules   = 10_000
)

var (
	entryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	segment   = regexp.MustCompile(`^\{([a-z_]*)\}$`)
)

// checker looks at what the fields say, once they are all of the right type.
type checker struct {
	*yaml.Document
	known Known
	cfg   *Config
}

func (c *checker) at(field, message, remedy string) { c.At(field, message, remedy) }

func (c *checker) bad(field string) bool { return c.Bad(field) }

func (c *checker) check() {
	cfg := c.cfg
	if cfg.DataDir == "" && !c.bad("data_dir") {
		c.at("data_dir", "is missing", "name a folder that vigil may fill, such as /var/lib/vigil")
	}
	c.listen()
	if cfg.Budget < 0 || cfg.Budget > 1e6 {
		c.at("budget", fmt.Sprintf("%v findings a day make no sense", cfg.Budget), "write a number such as 5, or 0 for the default")
	}
	if cfg.PreviewAccesses < 0 {
		c.at("preview_accesses", fmt.Sprintf("%d accesses are none", cfg.PreviewAccesses), "write a number such as 2000000, or 0 for no bound")
	}
	for _, r := range []struct {
		field string
		n     int
		most  int
		told  string
	}{{"max_actors", cfg.MaxActors, 10_000_000, "10,000,000"}, {"max_cold", cfg.MaxCold, 100_000_000, "100,000,000"}} {
		if r.n != 0 && (r.n < 256 || r.n > r.most) {
			c.at(r.field, fmt.Sprintf("%d is outside 256 to %s", r.n, r.told), "leave it out for the default")
		}
	}
	const hour = Duration(time.Hour)
	for _, r := range []struct {
		field string
		d     Duration
	}{{"retention", cfg.Retention}, {"finding_retention", cfg.FindingRetention}} {
		if r.d != 0 && r.d < hour {
			c.at(r.field, fmt.Sprintf("%s is shorter than an hour", r.d), "write for example 180d, or 0 to keep for ever")
		}
	}
	if cfg.CaseHold < 0 {
		c.at("case_hold", "is negative", "write for example 90d, or 0 to keep nothing longer")
	}
	if cfg.DiskFloor < 0 {
		c.at("disk_floor", "is negative", "leave it out for the default")
	}
	for _, k := range []struct {
		field string
		key   Secret
	}{{"pseudonym_key", cfg.PseudonymKey}, {"vault_key", cfg.VaultKey}} {
		if value, ok := c.secret(k.field, k.key); ok && value != "" && len(value) < minKey {
			c.at(k.field, fmt.Sprintf("has fewer than %d bytes", minKey), "use a long random value, or leave it out and one is made")
		}
	}
	if cfg.Vault != "on" && cfg.Vault != "off" {
		c.at("vault", fmt.Sprintf("%q is neither on nor off", cfg.Vault), "leave it out for on")
	}
	c.specs()
	c.sources()
	c.collectors()
	c.actors()
	c.feeds()
	c.users()
	c.accounts()
	c.channels()
	c.policy()
	if folder := c.cfg.Alerts.Templates; folder != "" && c.known.Templates != nil {
		if err := c.known.Templates(folder); err != nil {
			c.at("alerts.templates", err.Error(), "vigil's own words are used where a template can't be")
		}
	}
	c.organisation()
	c.outside()
}

// secret looks a secret up and reports what is missing.
func (c *checker) secret(field string, s Secret) (value string, ok bool) {
	value, err := s.Reveal()
	if err != nil {
		c.at(field, err.Error(), "set it, or name another place with env:NAME or file:/path")
		return "", false
	}
	return value, true
}

func (c *checker) listen() {
	if c.cfg.PushListen != "" {
		c.hostPort("push_listen", c.cfg.PushListen)
	}
	if t := c.cfg.PushTLS; t != nil {
		if c.cfg.PushListen == "" && c.cfg.OTLPListen == "" {
			c.at("push_tls", "has no address", `write push_listen, such as "0.0.0.0:8471"`)
		}
		t.check(c, "push_tls")
	}
	if c.cfg.OTLPListen != "" {
		host, ok := c.hostPort("otlp_listen", c.cfg.OTLPListen)
		if ok && !thisMachine(host) && c.cfg.PushTLS == nil {
			c.at("otlp_listen", fmt.Sprintf("%q is reached from other machines, and without push_tls the tokens would go there in the clear", host),
				`write "127.0.0.1:4317", or set push_tls`)
		}
	}
	c.address("console_url", c.cfg.ConsoleURL)
	host, ok := c.hostPort("listen", c.cfg.Listen)
	if ok && !thisMachine(host) {
		c.at("listen", fmt.Sprintf("%q is not an address of this machine alone, and passwords would go there in the clear", host),
			`write "127.0.0.1:8470", and reach it through an SSH tunnel or a proxy that ends TLS`)
	}
}

// CheckListen says what is wrong with an address for the console that no
// configuration file was checked for: it must be host:port and reached from
// this machine alone.
func CheckListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port; write for example \"127.0.0.1:8470\"", address)
	}
	if !thisMachine(host) {
		return fmt.Errorf("%q is not an address of this machine alone, and what is shown would go there in the clear; write \"127.0.0.1:8470\", and reach it through an SSH tunnel", host)
	}
	return nil
}

// thisMachine reports whether a host is reached from this machine alone.
func thisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (c *checker) hostPort(field, address string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		c.at(field, fmt.Sprintf("%q is not host:port", address), `write for example "127.0.0.1:8470"`)
		return "", false
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		c.at(field, fmt.Sprintf("port %q is not 0 to 65535", port), "")
	}
	return host, true
}

func (c *checker) specs() {
	if c.known.Spec == nil {
		return
	}
	for _, s := range []struct{ field, spec string }{
		{"digest", c.cfg.Digest}, {"snapshots", c.cfg.Snapshots}, {"ticks", c.cfg.Ticks},
		{"sealing", c.cfg.Sealing}, {"pruning", c.cfg.Pruning}, {"feed_polls", c.cfg.FeedPolls}, {"previews", c.cfg.Previews},
		{"alerts.weekly", c.cfg.Alerts.Weekly}, {"alerts.report", c.cfg.Alerts.Report}, {"audit_checkpoints.every", c.cfg.AuditCheckpoints.Every},
	} {
		if s.spec == "off" && (s.field == "digest" || s.field == "previews" || strings.HasPrefix(s.field, "alerts.")) {
			continue
		}
		if err := c.known.Spec(s.spec); err != nil {
			c.at(s.field, err.Error(), `write five cron fields such as "0 7 * * *", or "@every 5m"`)
		}
	}
}

func (c *checker) sources() {
	if len(c.cfg.Sources) == 0 && !c.bad("sources") {
		c.at("sources", "is empty", "name at least one source, with a file or a push token")
	}
	if len(c.cfg.Sources) > maxSources {
		c.at("sources", fmt.Sprintf("has %d entries, at most %d are watched", len(c.cfg.Sources), maxSources), "")
		return
	}
	seen := map[string]int{}
	tokens := map[string]string{}
	for i := range c.cfg.Sources {
		s := &c.cfg.Sources[i]
		field := fmt.Sprintf("sources[%d]", i)
		c.named("source", s.Name, seen, i)
		c.source(field, s, tokens)
	}
}

// named checks the name of the i-th source or feed, and notes it in seen.
func (c *checker) named(kind, name string, seen map[string]int, i int) {
	field := fmt.Sprintf("%ss[%d].name", kind, i)
	own := "give each " + kind + " a name of its own"
	switch first, twice := seen[name]; {
	case name == "":
		c.at(field, "is missing", own)
	case !entryName.MatchString(name):
		c.at(field, fmt.Sprintf("%q is no name", name), `use letters, digits, ".", "_" and "-", at most 64`)
	case twice:
		c.at(field, fmt.Sprintf("%q is also the name of %ss[%d]", name, kind, first), own)
	default:
		seen[name] = i
	}
}

func (c *checker) source(field string, s *Source, tokens map[string]string) {
	c.way(field, s)
	if s.Quota < 0 || s.Quota > 0 && s.Quota < 0.01 {
		c.at(field+".quota", fmt.Sprintf("%v events a second make no sense", s.Quota), "write a number such as 2000, or leave it out")
	}
	if s.Push != nil {
		c.push(field+".push.token", s.Push, fmt.Sprintf("source %q", s.Name), tokens)
	}
	if s.OTLP != nil {
		c.push(field+".otlp.token", (*Push)(s.OTLP), fmt.Sprintf("source %q", s.Name), tokens)
	}
	if s.Format != "" && len(c.known.Formats) > 0 && !slices.Contains(c.known.Formats, s.Format) {
		remedy := "the formats are " + strings.Join(c.known.Formats, ", ") + "; leave it out to find it by looking"
		if near := yaml.Nearest(s.Format, c.known.Formats); near != "" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		c.at(field+".format", fmt.Sprintf("%q is no format", s.Format), remedy)
	} else if c.known.Decoder != nil {
		if err := c.known.Decoder(s); err != nil {
			c.at(field+".format", err.Error(), "")
		}
	}
	c.mapping(field+".mapping", &s.Mapping)
}

// isGlob reports whether a text is a file pattern.
func isGlob(text string) bool {
	_, err := filepath.Match(text, "")
	return err == nil && text != ""
}

// push checks a token. Who sends for what is known by it alone, so no two may be one.
func (c *checker) push(field string, p *Push, owner string, tokens map[string]string) {
	value, ok := c.secret(field, p.Token)
	switch {
	case !ok:
	case value == "":
		if !c.bad(field) {
			c.at(field, "is missing", "a sender is known by its token; make one with: openssl rand -hex 32")
		}
	case len(value) < minToken:
		c.at(field, fmt.Sprintf("has fewer than %d characters", minToken), "make one with: openssl rand -hex 32")
	case tokens[value] != "":
		c.at(field, fmt.Sprintf("is also the token of %s", tokens[value]), "give each its own")
	default:
		tokens[value] = owner
	}
}

func (c *checker) mapping(field string, m *Mapping) {
	if m.Preset != "" && c.known.Preset != nil {
		if _, ok := c.known.Preset(m.Preset); !ok {
			remedy := "the presets are " + strings.Join(c.known.Presets, ", ")
			if near := yaml.Nearest(m.Preset, c.known.Presets); near != "" {
				remedy = fmt.Sprintf("did you mean %q?", near)
			}
			c.at(field+".preset", fmt.Sprintf("%q is no preset", m.Preset), remedy)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Tables)) {
		at := field + ".tables." + name
		if name != strings.ToLower(name) {
			c.at(at, "a table's name is written in lower case here", "write "+strings.ToLower(name))
		}
		for _, column := range slices.Sorted(maps.Keys(m.Tables[name].Columns)) {
			c.meaning(at+".columns."+column, m.Tables[name].Columns[column])
		}
	}
	for i, p := range m.Paths {
		c.path(fmt.Sprintf("%s.paths[%d]", field, i), p)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Params)) {
		c.meaning(field+".params."+name, m.Params[name])
	}
}

func meanings() []string {
	return []string{
		string(formats.MeansSubject), string(formats.MeansConversation), string(formats.MeansTenant),
		string(formats.MeansTicket), string(formats.MeansLimit),
	}
}

func (c *checker) meaning(field string, m formats.Meaning) {
	if slices.Contains(meanings(), string(m)) || (m == "" && c.bad(field)) {
		return
	}
	remedy := "the meanings are " + strings.Join(meanings(), ", ")
	if near := yaml.Nearest(string(m), meanings()); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	}
	c.at(field, fmt.Sprintf("%q is no meaning", m), remedy)
}

func (c *checker) path(field string, p Path) {
	// The keys of a store (customer:{subject}) are parted by colons.
	if !strings.HasPrefix(p.Template, "/") && !strings.Contains(p.Template, ":") {
		c.at(field+".template", fmt.Sprintf("%q does not begin with /", p.Template), `write for example "/api/conversations/{conversation}", or of a key "customer:{subject}"`)
		return
	}
	for part := range strings.FieldsFuncSeq(p.Template, func(r rune) bool { return r == '/' || r == ':' }) {
		if name := segment.FindStringSubmatch(part); len(name) == 2 && !slices.Contains(meanings(), name[1]) {
			c.at(field+".template", fmt.Sprintf("%q is no meaning", name[1]), "the meanings are "+strings.Join(meanings(), ", ")+`; "*" is any one segment`)
		}
	}
	if p.Action != "" && !vigil.Action(p.Action).Valid() {
		c.at(field+".action", fmt.Sprintf("%q is no action", p.Action), fmt.Sprintf("the actions are %v", vigil.Actions()))
	}
}

func (c *checker) actors() {
	if len(c.cfg.Actors) > maxRules {
		c.at("actors", fmt.Sprintf("has %d rules, at most %d are read", len(c.cfg.Actors), maxRules), "")
		return
	}
	for i, r := range c.cfg.Actors {
		field := fmt.Sprintf("actors[%d]", i)
		for _, g := range []struct{ name, glob string }{{"match", r.Match}, {"app", r.App}, {"source", r.Source}} {
			if _, err := path.Match(g.glob, ""); err != nil {
				c.at(field+"."+g.name, fmt.Sprintf("%q is no pattern", g.glob), `"*" is anything, "?" one character, "[ab]" one of these`)
			}
		}
		if r.Network != "" {
			if _, err := netip.ParsePrefix(r.Network); err != nil {
				c.at(field+".network", fmt.Sprintf("%q is no network", r.Network), `write for example "192.0.2.0/24"`)
			}
		}
		if !r.Kind.Valid() {
			c.at(field+".kind", fmt.Sprintf("%q is no kind of actor", r.Kind), "the kinds are human, service, bot, vendor, admin, anonymous")
		}
		if r.Match == "" && r.App == "" && r.Network == "" && r.Source == "" {
			c.at(field, "matches everyone", `name whom it is about with match, app, network or source (match: "*" for everyone)`)
		}
		if r.Kind == "" && r.Role == "" && r.Team == "" && r.Tenant == "" {
			c.at(field, "says nothing", "set kind, role, team or tenant")
		}
	}
}

// outside checks what lies outside: Slack and InfluxDB.
func (c *checker) outside() {
	cfg := c.cfg
	if _, ok := c.secret("slack.token", cfg.Slack.Token); ok && cfg.Slack.Token.IsSet() && cfg.Slack.Channel == "" {
		c.at("slack.channel", "is missing", `write the channel's id, such as "C0123ABC"`)
	}
	if cfg.Slack.Channel != "" && !cfg.Slack.Token.IsSet() {
		c.at("slack.token", "is missing", "write env:SLACK_TOKEN and set that variable, or leave slack out")
	}
	for _, s := range []struct {
		field  string
		secret Secret
	}{{"slack.app_token", cfg.Slack.AppToken}, {"slack.signing_secret", cfg.Slack.SigningSecret}} {
		if _, ok := c.secret(s.field, s.secret); ok && s.secret.IsSet() && !cfg.Slack.Token.IsSet() {
			c.at("slack.token", "is missing", "what is pressed in Slack is answered with it: write env:SLACK_TOKEN and set that variable")
		}
	}
	c.address("slack.api_url", cfg.Slack.APIURL)
	if _, ok := c.secret("influx.token", cfg.Influx.Token); !ok || cfg.Influx.URL == "" {
		if cfg.Influx.Bucket != "" || cfg.Influx.Org != "" || cfg.Influx.Token.IsSet() && ok {
			c.at("influx.url", "is missing", `write for example "http://127.0.0.1:8086", or leave influx out`)
		}
		return
	}
	c.address("influx.url", cfg.Influx.URL)
	if cfg.Influx.Bucket == "" {
		c.at("influx.bucket", "is missing", `name the bucket, or "database/retention-policy" for version 1.8`)
	}
}

func (c *checker) address(field, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		c.at(field, "is no http or https address", `write for example "http://127.0.0.1:8086"`)
		return
	}
	if u.User != nil {
		c.at(field, "holds a user or password", "give them as the token")
	}
}
