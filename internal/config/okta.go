package config

// Okta reads Okta's System Log from its API.
type Okta struct {
	// URL is the organisation's address, such as "https://acme.okta.com". Required.
	URL string `yaml:"url"`
	// ClientID and PrivateKey (PEM text) are those of a service app. They, or Token, are
	// required.
	ClientID   string `yaml:"client_id"`
	PrivateKey Secret `yaml:"private_key"`
	// KeyID is the key's id at Okta. Empty where the app has one key.
	KeyID string `yaml:"key_id"`
	// Token is an API token.
	Token Secret `yaml:"token"`
	// Poll is how often it is asked for what is new. Zero means 1m.
	Poll Duration `yaml:"poll"`
	// Overlap is how far it goes back where the cursor was lost. Zero means 10m.
	Overlap Duration `yaml:"overlap"`
	// Start is how far back the first reading goes. Zero means 7d.
	Start Duration `yaml:"start"`
	// AllowPrivate lets the host's name resolve to inner addresses. Default false.
	AllowPrivate bool `yaml:"allow_private"`
}

func (k *Okta) check(c *checker, field string) {
	c.pull(field, k.URL, "https://acme.okta.com", k.Poll, k.Overlap, k.Start)
	switch {
	case k.Token.IsSet() && k.ClientID != "":
		c.at(field+".token", "is there beside client_id", "keep one of them")
	case k.Token.IsSet():
		c.needed(field+".token", k.Token, "write env:OKTA_TOKEN and set that variable")
	case k.ClientID == "":
		if !c.bad(field+".client_id") && !c.bad(field+".token") {
			c.at(field+".client_id", "is missing", "write a service app's client id, and its key as private_key")
		}
	default:
		c.needed(field+".private_key", k.PrivateKey, "write file:/path/to/key.pem")
	}
}
