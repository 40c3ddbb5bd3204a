package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Syslog takes messages from syslog senders.
type Syslog struct {
	// Listen is the host:port at which senders are waited for. Required.
	Listen string `yaml:"listen"`
	// Transport is how they send: udp, tcp, tls or relp. Default "tcp".
	Transport string `yaml:"transport"`
	// TLS is our certificate, and whose we ask for. Required for tls, possible for relp.
	TLS *SyslogTLS `yaml:"tls"`
	// From lists the networks from which senders may come ("10.0.0.0/8"). Required where
	// other machines can reach us and no certificates are asked for.
	From []string `yaml:"from"`
	// MaxConnections bounds the connections, and of udp the senders, that are heard at
	// once. 1 to 4096, default 64.
	MaxConnections int `yaml:"max_connections"`
	// IdleTimeout ends a connection on which no message came for so long. At least a
	// second, default 1d.
	IdleTimeout Duration `yaml:"idle_timeout"`
}

// SyslogTLS is how a syslog receiver and its senders show who they are.
type SyslogTLS struct {
	// Cert and Key are PEM files with our certificate and its key. Required. They are read
	// again when they change.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ClientCA is a PEM file with the authorities that vouch for senders: a sender must
	// show a certificate of one. Empty asks for none.
	ClientCA string `yaml:"client_ca"`
	// ClientNames are the names, one of which a sender's certificate must be for
	// ("*.example.org" is any one label). Empty takes any that the authorities vouch for.
	ClientNames []string `yaml:"client_names"`
}

func (k *Syslog) check(c *checker, field string) {
	if k.Listen == "" {
		if !c.bad(field + ".listen") {
			c.at(field+".listen", "is missing", `write for example "0.0.0.0:6514"`)
		}
	} else if host, ok := c.hostPort(field+".listen", k.Listen); ok && !thisMachine(host) && len(k.From) == 0 && !c.bad(field+".from") && (k.TLS == nil || k.TLS.ClientCA == "") {
		c.at(field+".from", "is missing: anybody who reaches "+k.Listen+" could write what is judged",
			`name the senders' networks ("from: [10.0.0.0/8]"), or ask for certificates with tls.client_ca`)
	}
	transports := []string{"udp", "tcp", "tls", "relp"}
	switch {
	case k.Transport != "" && !slices.Contains(transports, k.Transport):
		c.at(field+".transport", fmt.Sprintf("%q is no transport", k.Transport), "the transports are "+strings.Join(transports, ", "))
	case k.Transport == "tls" && k.TLS == nil && !c.bad(field+".tls"):
		c.at(field+".tls", "is missing", "name the certificate and its key, as cert and key")
	case k.TLS != nil && k.Transport != "tls" && k.Transport != "relp":
		c.at(field+".tls", "is for the transports tls and relp", "write transport: tls, or leave it out")
	}
	if k.TLS != nil {
		k.TLS.check(c, field+".tls")
	}
	for i, network := range k.From {
		if _, err := netip.ParsePrefix(network); err != nil {
			c.at(fmt.Sprintf("%s.from[%d]", field, i), fmt.Sprintf("%q is no network", network), `write for example "192.0.2.0/24", or "192.0.2.7/32" for one machine`)
		}
	}
	if k.MaxConnections < 0 || k.MaxConnections > 4096 {
		c.at(field+".max_connections", fmt.Sprintf("%d is outside 1 to 4096", k.MaxConnections), "leave it out for the default, 64")
	}
	if k.IdleTimeout != 0 && k.IdleTimeout.Std() < time.Second {
		c.at(field+".idle_timeout", fmt.Sprintf("%s is shorter than a second", k.IdleTimeout), "leave it out for the default, 1d")
	}
}

func (t *SyslogTLS) check(c *checker, field string) {
	for _, f := range []struct{ name, path string }{{"cert", t.Cert}, {"key", t.Key}} {
		if f.path == "" && !c.bad(field+"."+f.name) {
			c.at(field+"."+f.name, "is missing", `name the PEM file, such as "/etc/vigil/syslog.pem"`)
		}
	}
	if len(t.ClientNames) > 0 && t.ClientCA == "" && !c.bad(field+".client_ca") {
		c.at(field+".client_ca", "is missing: names are looked for in certificates that an authority vouches for", "name the PEM file of the authority")
	}
}
