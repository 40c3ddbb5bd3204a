package config

import (
	"fmt"
	"slices"
)

// Zendesk reads Zendesk's access and audit logs from its API.
type Zendesk struct {
	// URL is the account's address, such as "https://acme.zendesk.com". Required.
	URL string `yaml:"url"`
	// ClientID and ClientSecret are those of a confidential OAuth client. They, or Token,
	// are required.
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	// Scope is what tokens are asked for. Empty means "read".
	Scope string `yaml:"scope"`
	// Token is an OAuth access token; with Email, an API token.
	Token Secret `yaml:"token"`
	// Email is the administrator's to whom an API token belongs.
	Email string `yaml:"email"`
	// Logs are which logs are read: access and audit. Empty means both.
	Logs []string `yaml:"logs"`
	// Poll is how often it is asked for what is new. Zero means 1m.
	Poll Duration `yaml:"poll"`
	// Overlap is how late Zendesk may show an entry. Zero means 10m.
	Overlap Duration `yaml:"overlap"`
	// Start is how far back the first reading goes. Zero means 7d.
	Start Duration `yaml:"start"`
	// AllowPrivate lets the host's name resolve to inner addresses. Default false.
	AllowPrivate bool `yaml:"allow_private"`
}

func (k *Zendesk) check(c *checker, field string) {
	c.pull(field, k.URL, "https://acme.zendesk.com", k.Poll, k.Overlap, k.Start)
	switch {
	case k.Token.IsSet() && k.ClientID != "":
		c.at(field+".token", "is there beside client_id", "keep one of them")
	case k.Token.IsSet():
		c.needed(field+".token", k.Token, "write env:ZENDESK_TOKEN and set that variable")
	case k.ClientID == "":
		if !c.bad(field+".client_id") && !c.bad(field+".token") {
			c.at(field+".client_id", "is missing", "write the identifier of a confidential OAuth client of the account, and its secret as client_secret")
		}
	default:
		c.needed(field+".client_secret", k.ClientSecret, "write env:ZENDESK_SECRET and set that variable")
	}
	if k.Email != "" && !k.Token.IsSet() {
		c.at(field+".email", "goes with an API token", "give token, or leave it out")
	}
	seen := map[string]bool{}
	for i, log := range k.Logs {
		at := fmt.Sprintf("%s.logs[%d]", field, i)
		switch {
		case !slices.Contains([]string{"access", "audit"}, log):
			c.at(at, fmt.Sprintf("%q is no log", log), "the logs are access and audit")
		case seen[log]:
			c.at(at, fmt.Sprintf("%q is there twice", log), "name it once")
		}
		seen[log] = true
	}
}
