package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil/internal/app"
	"vigil/internal/config"
)

var (
	secrets = regexp.MustCompile(`env:([A-Z_]+)`)
	files   = regexp.MustCompile(`/etc/vigil/([a-z-]+\.pem)`)
)

// What the pages on channels show can be used, with a folder and a source added where they
// stand for a part.
func TestDocumentedChannelsAreGood(t *testing.T) {
	dir := t.TempDir()
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "alerts", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := ""
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ := strings.Cut(part, "```")
			if strings.HasPrefix(block, "route:") || strings.HasPrefix(block, "filebeat.inputs:") {
				continue // another product's configuration
			}
			for _, s := range secrets.FindAllStringSubmatch(block, -1) {
				t.Setenv(s[1], secretFor(s[1]))
			}
			for _, f := range files.FindAllStringSubmatch(block, -1) {
				authority(t, filepath.Join(dir, f[1]))
			}
			block = files.ReplaceAllString(block, dir+"/$1")
			if !strings.Contains(block, "data_dir:") {
				block = "data_dir: /var/lib/vigil\nsources: [{name: db, file: /var/log/postgresql/*.log}]\n" + block
			}
			if _, err := config.Parse(page, []byte(block), app.Known()); err != nil {
				t.Errorf("%s\n%v", block, err)
			}
			shown += block
		}
	}
	for _, way := range strings.Fields("slack email webhook teams pagerduty opsgenie alertmanager jira ocsf_file ocsf_syslog ocsf_http ocsf_kafka") {
		if !strings.Contains(shown, " "+way+":") {
			t.Errorf("no page shows how %s is configured", way)
		}
	}
}

// secretFor makes up what a variable of this name may hold.
func secretFor(name string) string {
	switch {
	case strings.HasSuffix(name, "_APP_TOKEN"):
		return "xapp-1"
	case strings.HasSuffix(name, "SLACK_TOKEN"):
		return "xoxb-1"
	case strings.HasSuffix(name, "_URL"):
		return "https://hooks.example.org/0123456789"
	}
	return strings.Repeat("0123456789abcdef", 2)
}

// authority writes the certificate of one.
func authority(t *testing.T, path string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is wrong with a channel is said with its field, its line and what to do, and without
// what is secret in it.
func TestWrongChannelsAreExplained(t *testing.T) {
	t.Parallel()
	const canary = "canary0123456789canary0123456789"
	for name, c := range map[string]struct {
		channel, field string
		says           []string
	}{
		"no way":           {"{name: x}", "alerts.channels[0]", []string{"says no way to tell", "set one of slack, email"}},
		"two ways":         {"{name: x, ocsf_file: {path: /x}, teams: {url: 'https://h.example/" + canary + "'}}", "alerts.channels[0]", []string{"teams, ocsf_file", "make a channel of each"}},
		"an unknown way":   {"{name: x, teems: {url: 'https://h.example'}}", "alerts.channels[0].teems", []string{`did you mean "teams"?`}},
		"an unknown word":  {"{name: x, jira: {ulr: 'https://h.example'}}", "alerts.channels[0].jira.ulr", []string{`did you mean "url"?`}},
		"no key":           {"{name: x, pagerduty: {}}", "alerts.channels[0].pagerduty", []string{"routing_key is missing", "give its integration key"}},
		"a wrong key":      {"{name: x, pagerduty: {routing_key: " + canary + "1}}", "alerts.channels[0].pagerduty", []string{"copy the integration key again"}},
		"a private host":   {"{name: x, webhook: {url: 'https://10.0.0.1/" + canary + "', secret: " + canary + "}}", "alerts.channels[0].webhook", []string{"url", "allow_private"}},
		"metadata":         {"{name: x, webhook: {url: 'http://169.254.169.254/" + canary + "', secret: " + canary + ", allow_private: true}}", "alerts.channels[0].webhook", []string{"never spoken to"}},
		"plain http":       {"{name: x, teams: {url: 'http://h.example/" + canary + "'}}", "alerts.channels[0].teams", []string{"give an https one"}},
		"a secret unset":   {"{name: x, opsgenie: {api_key: 'env:VIGIL_NOT_SET'}}", "alerts.channels[0].opsgenie", []string{"api_key", "VIGIL_NOT_SET is not set"}},
		"a password bare":  {"{name: x, email: {host: h, security: none, username: u, password: " + canary + ", from: a@b.example, to: [c@d.example]}}", "alerts.channels[0].email", []string{"say starttls or tls"}},
		"too many to":      {"{name: x, email: {host: h, from: a@b.example, to: [" + strings.Repeat("c@d.example, ", 51) + "]}}", "alerts.channels[0].email", []string{"51 recipients, at most 50", "mailing list"}},
		"an own field":     {"{name: x, jira: {url: 'https://j.example', user: a@b.example, token: " + canary + ", project: SEC, fields: {summary: x}}}", "alerts.channels[0].jira", []string{"summary is set by vigil: remove it"}},
		"a wrong label":    {"{name: x, alertmanager: {urls: ['https://a.example'], labels: {severity: x}}}", "alerts.channels[0].alertmanager", []string{"give it another name"}},
		"no port":          {"{name: x, ocsf_syslog: {address: siem.example}}", "alerts.channels[0].ocsf_syslog", []string{"is not host:port"}},
		"a wrong sasl":     {"{name: x, ocsf_kafka: {brokers: ['k:9092'], topic: t, sasl: {mechanism: gssapi, user: u, password: " + canary + "}}}", "alerts.channels[0].ocsf_kafka", []string{"is none of plain"}},
		"a file elsewhere": {"{name: x, ocsf_http: {url: 'https://h.example/" + canary + "', ca_file: /not/there.pem}}", "alerts.channels[0].ocsf_http", []string{"/not/there.pem", "no such file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "data_dir: /var/lib/vigil\nsources: [{name: db, file: /var/log/x.log}]\nalerts:\n  channels:\n    - " + c.channel + "\n"
			_, err := config.Parse("vigil.yaml", []byte(text), app.Known())
			var wrong *config.Error
			if !errors.As(err, &wrong) {
				t.Fatalf("%v", err)
			}
			if !slices.ContainsFunc(wrong.Problems, func(p config.Problem) bool { return p.Field == c.field && p.Line == 5 }) {
				t.Errorf("%v\nis not said of %s in line 5", err, c.field)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v\ndoes not say %q", err, s)
				}
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("it tells a secret: %v", err)
			}
		})
	}
}
