package config

import (
	"fmt"
	"regexp"
)

// Salesforce reads Salesforce's event log files from its API.
type Salesforce struct {
	// URL is the organisation's My Domain address, such as
	// "https://acme.my.salesforce.com". Required.
	URL string `yaml:"url"`
	// ClientID is the consumer key of the app. Required.
	ClientID string `yaml:"client_id"`
	// ClientSecret is the app's secret, for the client credentials flow. It, or
	// PrivateKey and Username, are required.
	ClientSecret Secret `yaml:"client_secret"`
	// PrivateKey is the PEM text of the key whose certificate the app has, for the JWT
	// bearer flow.
	PrivateKey Secret `yaml:"private_key"`
	// Username is as whom the JWT bearer flow signs in.
	Username string `yaml:"username"`
	// Audience is whom the JWT bearer flow's assertion is for. Empty means
	// "https://login.salesforce.com", and "https://test.salesforce.com" for a sandbox.
	Audience string `yaml:"audience"`
	// Interval is hourly or daily. Empty means hourly.
	Interval string `yaml:"interval"`
	// Events are the types of event whose files are read ("API", "ReportExport"). Empty
	// means all.
	Events []string `yaml:"events"`
	// Poll is how often new files are looked for. Zero means 5m.
	Poll Duration `yaml:"poll"`
	// Overlap is how far before the latest file's creation they are looked for. Zero
	// means 2h.
	Overlap Duration `yaml:"overlap"`
	// Start is how far back the first reading goes. Zero means 1d.
	Start Duration `yaml:"start"`
	// AllowPrivate lets the host's name resolve to inner addresses. Default false.
	AllowPrivate bool `yaml:"allow_private"`
}

// salesforceEvent is what a type of event looks like.
var salesforceEvent = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,63}$`)

func (k *Salesforce) check(c *checker, field string) {
	c.pull(field, k.URL, "https://acme.my.salesforce.com", k.Poll, k.Overlap, k.Start)
	if k.ClientID == "" && !c.bad(field+".client_id") {
		c.at(field+".client_id", "is missing", "write the consumer key of the app")
	}
	switch {
	case k.ClientSecret.IsSet() && k.PrivateKey.IsSet():
		c.at(field+".private_key", "is there beside client_secret", "keep one of them")
	case k.PrivateKey.IsSet():
		c.needed(field+".private_key", k.PrivateKey, "write file:/path/to/key.pem")
		if k.Username == "" {
			c.at(field+".username", "is missing", "write as whom the app signs in")
		}
	default:
		c.needed(field+".client_secret", k.ClientSecret, "write env:SALESFORCE_SECRET and set that variable, or give private_key and username")
	}
	if k.Audience != "" {
		c.api(field+".audience", k.Audience, "https://login.salesforce.com")
	}
	if k.Interval != "" && k.Interval != "hourly" && k.Interval != "daily" {
		c.at(field+".interval", fmt.Sprintf("%q is no interval", k.Interval), "the intervals are hourly and daily")
	}
	if len(k.Events) > 100 {
		c.at(field+".events", fmt.Sprintf("has %d entries, at most 100 are taken", len(k.Events)), "leave it out for all")
	}
	for i, e := range k.Events {
		if !salesforceEvent.MatchString(e) {
			c.at(fmt.Sprintf("%s.events[%d]", field, i), fmt.Sprintf("%q is no type of event", e), "write for example API or ReportExport")
		}
	}
}
