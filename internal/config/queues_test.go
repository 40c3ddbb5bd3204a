package config_test

import (
	"strings"
	"testing"

	"vigil/internal/config"
)

// What is wrong with a queue's settings is told with its field, and secrets are not.
func TestQueues(t *testing.T) {
	t.Parallel()
	const canary = "canary-7d1f0c"
	for _, c := range []struct {
		way  string
		want []string // none is well
	}{
		{`kafka: {brokers: ["k:9092"], topics: [a]}`, nil},
		{`kafka: {brokers: ["k:9092"], topic_pattern: "audit\\..*", start: latest, group: g, tls: {}, sasl: {mechanism: plain, user: u, password: ` + canary + `}}`, nil},
		{`kafka: {brokers: ["127.0.0.1:9092"], topics: [a], sasl: {mechanism: plain, user: u, password: ` + canary + `}}`, nil},
		{`kafka: {}`, []string{"kafka.brokers", "kafka.topics"}},
		{`kafka: {brokers: [k], topics: ["a b"], topic_pattern: "(", start: middle}`, []string{"kafka.brokers[0]", "kafka.topics[0]", "topic_pattern", "kafka.start", "both topics"}},
		{`kafka: {brokers: ["k:9092"], topics: [a], sasl: {mechanism: plain, user: u, password: ` + canary + `}}`, []string{"sends the password in the clear"}},
		{`kafka: {brokers: ["k:9092"], topics: [a], sasl: {mechanism: gssapi}}`, []string{"sasl.mechanism", "sasl.user", "sasl.password"}},
		{`kafka: {brokers: ["k:9092"], topics: [a], tls: {cert: /x}}`, []string{"kafka.tls.key"}},
		{`kafka: {brokers: ["k:9092"], topics: [a], tls: {key: /x}}`, []string{"kafka.tls.cert"}},
		{`kafka: {brokers: ["k:9092"], topics: [a], nowhere: 1}`, []string{"nowhere"}},
		{`nats: {urls: ["nats://n:4222"], stream: S}`, nil},
		{`nats: {urls: ["tls://n:4222"], stream: S, subjects: ["a.>", "*.b", ">", a], durable: d, start: latest, user: u, password: ` + canary + `}`, nil},
		{`nats: {urls: ["nats://n:4222"], stream: S, tls: {}, token: ` + canary + `}`, nil},
		{`nats: {}`, []string{"nats.urls", "nats.stream"}},
		{`nats: {urls: ["http://n", "nats://u:p@n:4222"], stream: "a.b", durable: "a b", subjects: ["a..b"], start: middle}`,
			[]string{"nats.urls[0]", "nats.urls[1]", "nats.stream", "nats.durable", "nats.subjects[0]", "nats.start"}},
		{`nats: {urls: ["nats://n:4222"], stream: S, token: ` + canary + `}`, []string{"in the clear"}},
		{`nats: {urls: ["tls://n:4222"], stream: S, user: u}`, []string{"nats.password"}},
		{`nats: {urls: ["tls://n:4222"], stream: S, password: ` + canary + `}`, []string{"nats.user"}},
		{`nats: {urls: ["tls://n:4222"], stream: S, nkey: ` + canary + `, token: ` + canary + `}`, []string{"nats.nkey", "token and nkey"}},
	} {
		_, err := config.Parse("vigil.yaml", []byte("data_dir: /x\nsources:\n  - name: q\n    "+c.way+"\n"), known())
		if (err == nil) != (len(c.want) == 0) {
			t.Errorf("%s: %v", c.way, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q lacks %q", c.way, err, w)
			}
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("the secret is told: %v", err)
		}
	}
}
