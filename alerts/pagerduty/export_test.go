package pagerduty

import "net/url"

// SetKey gives the notifier a key that New would not take: the suite's.
func (n *Notifier) SetKey(k Secret) { n.cfg.RoutingKey = k }

// Host is where events go.
func (n *Notifier) Host() string {
	u, err := url.Parse(string(n.url))
	if err != nil {
		return ""
	}
	return u.Host
}
