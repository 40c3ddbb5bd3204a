package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// NATS reads a JetStream stream.
type NATS struct {
	// URLs are the servers ("nats://host:4222", "tls://host:4222"); the others of their
	// cluster are learnt from them. At least one.
	URLs []string `yaml:"urls"`
	// Stream is the stream's name. Required.
	Stream string `yaml:"stream"`
	// Subjects picks out messages by subject, with wildcards ("access.>"). Empty reads
	// all.
	Subjects []string `yaml:"subjects"`
	// Durable is the consumer's name. Empty means "vigil-" and the source's name.
	Durable string `yaml:"durable"`
	// Start is where a source begins that was never read: "earliest", which is the
	// default, or "latest".
	Start string `yaml:"start"`
	// Credentials is a file with a user's JWT and seed (".creds"). At most one of
	// Credentials, User, Token and Nkey signs in.
	Credentials string `yaml:"credentials"`
	// User and Password sign in.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	// Token signs in.
	Token Secret `yaml:"token"`
	// Nkey is the seed of a user's nkey ("SU...").
	Nkey Secret `yaml:"nkey"`
	// TLS says how servers are trusted. Absent uses TLS only where a server asks for it,
	// and then trusts what this machine trusts.
	TLS *TLS `yaml:"tls"`
}

var (
	// streamName is what JetStream accepts as the name of a stream or a consumer.
	streamName = regexp.MustCompile(`^[^\s.*>/\\]{1,255}$`)
	// natsSubject is one with or without wildcards.
	natsSubject = regexp.MustCompile(`^[^\s.>*]+(\.[^\s.>*]+|\.\*)*(\.>)?$|^\*(\.[^\s.>*]+|\.\*)*(\.>)?$|^>$`)
)

func (n *NATS) check(c *checker, field string) {
	if len(n.URLs) == 0 && !c.bad(field+".urls") {
		c.at(field+".urls", "is missing", `write for example ["nats://nats-1.example.org:4222"]`)
	}
	for i, text := range n.URLs {
		at := fmt.Sprintf("%s.urls[%d]", field, i)
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss":
			c.at(at, "is no address of a NATS server", `write for example "nats://nats-1.example.org:4222", or tls://`)
		case u.User != nil:
			c.at(at, "holds a user or password", "give them as user and password, or as token")
		}
	}
	if n.Stream == "" && !c.bad(field+".stream") {
		c.at(field+".stream", "is missing", "the streams there are: nats stream ls")
	}
	for _, s := range []struct{ field, name string }{{"stream", n.Stream}, {"durable", n.Durable}} {
		if s.name != "" && !streamName.MatchString(s.name) {
			c.at(field+"."+s.field, fmt.Sprintf("%q is no name", s.name), `names have no white space, ".", "*", ">" and slashes`)
		}
	}
	for i, s := range n.Subjects {
		if !natsSubject.MatchString(s) {
			c.at(fmt.Sprintf("%s.subjects[%d]", field, i), fmt.Sprintf("%q is no subject", s), `write for example "access.>" or "access.*.read"`)
		}
	}
	c.begins(field+".start", n.Start)
	n.TLS.check(c, field+".tls")
	n.signIn(c, field)
}

// signIn checks how the source signs in.
func (n *NATS) signIn(c *checker, field string) {
	var ways []string
	for _, w := range []struct {
		name string
		is   bool
	}{{"credentials", n.Credentials != ""}, {"user", n.User != ""}, {"token", n.Token.IsSet()}, {"nkey", n.Nkey.IsSet()}} {
		if w.is {
			ways = append(ways, w.name)
		}
	}
	if len(ways) > 1 {
		c.at(field, "signs in by "+strings.Join(ways, " and "), "keep one of them")
	}
	password, ok := c.secret(field+".password", n.Password)
	switch {
	case !ok || c.bad(field+".password"):
	case n.User != "" && password == "":
		c.at(field+".password", "is missing", "write env:NAME and set that variable")
	case n.User == "" && password != "":
		c.at(field+".user", "is missing", "name the user whose password it is")
	}
	c.secret(field+".token", n.Token)
	if seed, ok := c.secret(field+".nkey", n.Nkey); ok && seed != "" && !strings.HasPrefix(seed, "SU") {
		c.at(field+".nkey", "is no seed of a user's nkey", `it is the line that begins with "SU", as nk -gen user writes it`)
	}
	if n.TLS == nil && !n.encrypted() && (n.User != "" || n.Token.IsSet()) {
		c.at(field+".tls", "is missing, and a password or token would go out in the clear where the server asks for no TLS", `add "tls: {}", or sign in by nkey or credentials`)
	}
}

// encrypted says whether all servers are reached by TLS, or within this machine.
func (n *NATS) encrypted() bool {
	for _, text := range n.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "tls" && u.Scheme != "wss" && !thisMachine(u.Hostname()) {
			return false
		}
	}
	return true
}
