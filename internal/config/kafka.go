package config

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
)

// Kafka reads topics.
type Kafka struct {
	// Brokers are the first to ask, as host:port; the others are learnt from them. At
	// least one.
	Brokers []string `yaml:"brokers"`
	// Topics names the topics. Either they or TopicPattern is required, not both.
	Topics []string `yaml:"topics"`
	// TopicPattern is a regular expression (RE2) that a topic's whole name must match;
	// topics that are made later are read too.
	TopicPattern string `yaml:"topic_pattern"`
	// Group is the consumer group. Empty means "vigil-" and the source's name.
	Group string `yaml:"group"`
	// Start is where a source begins that was never read: "earliest", which is the
	// default, or "latest".
	Start string `yaml:"start"`
	// TLS says how brokers are trusted; "tls: {}" trusts what this machine trusts.
	// Absent connects without TLS.
	TLS *TLS `yaml:"tls"`
	// SASL is how vigil signs in. Absent does not.
	SASL *SASL `yaml:"sasl"`
}

// SASL is a user of a Kafka cluster.
type SASL struct {
	// Mechanism is plain, scram-sha-256 or scram-sha-512. Required.
	Mechanism string `yaml:"mechanism"`
	// User and Password sign in. Required.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
}

// topicName is what Kafka accepts.
var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

func (k *Kafka) check(c *checker, field string) {
	if len(k.Brokers) == 0 && !c.bad(field+".brokers") {
		c.at(field+".brokers", "is missing", `write for example ["kafka-1.example.org:9092"]`)
	}
	for i, b := range k.Brokers {
		host, port, err := net.SplitHostPort(b)
		if n, bad := strconv.Atoi(port); err != nil || host == "" || bad != nil || n < 1 || n > 65535 {
			c.at(fmt.Sprintf("%s.brokers[%d]", field, i), fmt.Sprintf("%q is not host:port", b), `write for example "kafka-1.example.org:9092"`)
		}
	}
	k.topics(c, field)
	if k.Group != "" && len(k.Group) > 249 {
		c.at(field+".group", "is longer than 249 characters", `leave it out for "vigil-" and the source's name`)
	}
	c.begins(field+".start", k.Start)
	k.TLS.check(c, field+".tls")
	if k.SASL != nil {
		k.SASL.check(c, field+".sasl", k)
	}
}

// begins checks where a source begins whose server keeps what it was sent.
func (c *checker) begins(field, start string) {
	if start != "" && start != "earliest" && start != "latest" {
		c.at(field, fmt.Sprintf("%q is no place to begin", start), `write "earliest" or "latest"`)
	}
}

func (k *Kafka) topics(c *checker, field string) {
	switch {
	case len(k.Topics) > 0 && k.TopicPattern != "":
		c.at(field, "has both topics and topic_pattern", "name the topics or give a pattern, not both")
	case len(k.Topics) == 0 && k.TopicPattern == "" && !c.bad(field+".topics") && !c.bad(field+".topic_pattern"):
		c.at(field+".topics", "is missing", `write for example [access-log], or topic_pattern: "audit\\..*"`)
	}
	for i, name := range k.Topics {
		if !topicName.MatchString(name) {
			c.at(fmt.Sprintf("%s.topics[%d]", field, i), fmt.Sprintf("%q is no name of a topic", name), "for several topics by their names' form use topic_pattern")
		}
	}
	if _, err := regexp.Compile(k.TopicPattern); err != nil {
		c.at(field+".topic_pattern", "is no regular expression: "+err.Error(), `write for example "audit\\..*"`)
	}
}

func (s *SASL) check(c *checker, field string, k *Kafka) {
	switch s.Mechanism {
	case "plain":
		if k.TLS == nil && !k.local() {
			c.at(field+".mechanism", "plain sends the password in the clear, and there is no TLS", `add "tls: {}", or use scram-sha-512`)
		}
	case "scram-sha-256", "scram-sha-512":
	default:
		if !c.bad(field + ".mechanism") {
			c.at(field+".mechanism", fmt.Sprintf("%q is no mechanism", s.Mechanism), "write plain, scram-sha-256 or scram-sha-512")
		}
	}
	if s.User == "" && !c.bad(field+".user") {
		c.at(field+".user", "is missing", "name the user, as kafka-acls does after User:")
	}
	if value, ok := c.secret(field+".password", s.Password); ok && value == "" && !c.bad(field+".password") {
		c.at(field+".password", "is missing", "write env:NAME and set that variable")
	}
}

// local says whether all brokers are of this machine.
func (k *Kafka) local() bool {
	for _, b := range k.Brokers {
		if host, _, err := net.SplitHostPort(b); err != nil || !thisMachine(host) {
			return false
		}
	}
	return true
}
