package config

import "net/url"

// Redis reads what a Redis server's MONITOR tells.
type Redis struct {
	// URL is the server's address: redis://user:password@host:6379, or rediss:// with TLS.
	// A secret. Required.
	URL Secret `yaml:"url"`
	// TLS says whom to trust with rediss://. Empty trusts whom this machine trusts.
	TLS *TLS `yaml:"tls"`
}

func (k *Redis) check(c *checker, field string) {
	if value, ok := c.secret(field+".url", k.URL); ok && !c.bad(field+".url") {
		const remedy = "write env:REDIS_URL and set it to redis://user:password@host:6379, special characters of the password as %xx"
		u, err := url.Parse(value) // its error would have the password in it
		switch {
		case value == "":
			c.at(field+".url", "is missing", remedy)
		case err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "":
			c.at(field+".url", "begins with neither redis:// nor rediss://, or can't be read", remedy)
		case u.Scheme == "redis" && u.User != nil && !thisMachine(u.Hostname()):
			c.at(field+".url", "sends the password in the clear to another machine", "let the server speak TLS and write rediss://, or reach it through a tunnel that ends on this machine")
		case k.TLS != nil && u.Scheme != "rediss":
			c.at(field+".tls", "stands beside a url without TLS", "let url begin with rediss://")
		}
	}
	k.TLS.check(c, field+".tls")
}
