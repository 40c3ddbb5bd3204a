package config

// Intercom reads the activity log of Intercom's teammates from its API.
type Intercom struct {
	// URL is the API's address in the workspace's region. Empty means
	// "https://api.intercom.io"; "https://api.eu.intercom.io" and
	// "https://api.au.intercom.io" are the others.
	URL string `yaml:"url"`
	// Token is the access token of an app. Required.
	Token Secret `yaml:"token"`
	// Poll is how often it is asked for what is new. Zero means 1m.
	Poll Duration `yaml:"poll"`
	// Overlap is how late Intercom may show an activity. Zero means 10m.
	Overlap Duration `yaml:"overlap"`
	// Start is how far back the first reading goes. Zero means 7d.
	Start Duration `yaml:"start"`
	// AllowPrivate lets the host's name resolve to inner addresses. Default false.
	AllowPrivate bool `yaml:"allow_private"`
}

func (k *Intercom) check(c *checker, field string) {
	c.pull(field, k.URL, "", k.Poll, k.Overlap, k.Start)
	c.needed(field+".token", k.Token, "write env:INTERCOM_TOKEN and set that variable")
}
