package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/internal/config"
)

const full = `data_dir: /var/lib/vigil
listen: "localhost:0"
budget: 2.5
max_actors: 5000
max_cold: 9000
retention: 30d
finding_retention: 1d12h
disk_floor: 500MB
pseudonym_key: 0123456789abcdef
digest: "off"
sources:
  - name: helpdesk
    file: /var/log/postgresql/*.log
    format: postgresql
    log_line_prefix: '%m [%p] %u@%d '
    params: {extra: 7}
    store: chat
    tenant: acme
    mapping:
      preset: chatwoot
      tables:
        messages:
          class: chat
          columns: {conversation_id: conversation, sender_id: subject}
        schema_migrations: {ignore: true}
      paths:
        - template: /api/cases/{ticket}
          resource: cases
          class: case
          action: read
      params:
        cid: conversation
  - name: bot
    push:
      token: 0123456789abcdef0123
actors:
  - {match: "svc_*", app: "etl*", network: 10.0.0.0/8, source: "h*", kind: service, role: etl, team: data, tenant: acme}
slack:
  token: xoxb-secret
  channel: C1
  api_url: http://127.0.0.1:1/
influx:
  url: http://127.0.0.1:8086
  token: user:password
  org: o
  bucket: db/rp
`

func known() config.Known {
	return config.Known{
		Formats: []string{"native", "nginx", "postgresql"},
		Presets: []string{"chatwoot", "rasa"},
		Preset: func(name string) (*formats.Mapping, bool) {
			return &formats.Mapping{}, name == "chatwoot" || name == "rasa"
		},
		Spec: func(spec string) error {
			if strings.Contains(spec, "bad") {
				return fmt.Errorf("%q is no schedule", spec)
			}
			return nil
		},
		Decoder: func(s *config.Source) error {
			if s.LogFormat == "$bad" {
				return errors.New(`log_format: unknown variable "$bad"`)
			}
			return nil
		},
	}
}

func TestFullFileReads(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse("vigil.yaml", []byte(full), known())
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Retention.Std(); got != 30*24*time.Hour {
		t.Errorf("retention = %v", got)
	}
	if got := cfg.FindingRetention.Std(); got != 36*time.Hour {
		t.Errorf("finding_retention = %v", got)
	}
	if cfg.DiskFloor != 500<<20 || cfg.Budget != 2.5 || cfg.MaxActors != 5000 || cfg.MaxCold != 9000 || cfg.Ticks != "@every 10s" {
		t.Errorf("got %+v", cfg)
	}
	s := cfg.Sources[0]
	if diff := cmp.Diff([]string{"/var/log/postgresql/*.log"}, s.File); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"extra": "7", "log_line_prefix": "%m [%p] %u@%d "}, s.FormatParams()); diff != "" {
		t.Error(diff)
	}
	if cfg.Actors[0].Kind != vigil.KindService || !cfg.Sources[1].Push.Token.IsSet() || cfg.Sources[1].StoreName() != "bot" {
		t.Errorf("got %+v", cfg)
	}
	own := s.Mapping.Formats(&formats.Mapping{
		Tables: map[string]formats.Table{"messages": {Class: "preset"}, "contacts": {Class: "contact"}},
		Paths:  []formats.Path{{Template: "/preset"}},
		Params: map[string]formats.Meaning{"cid": formats.MeansSubject},
	})
	if own.Tables["messages"].Class != "chat" || own.Tables["contacts"].Class != "contact" ||
		own.Paths[0].Resource != "cases" || own.Paths[1].Template != "/preset" || own.Params["cid"] != formats.MeansConversation {
		t.Errorf("merged mapping %+v", own)
	}
}

// Each key of the full file in turn gets a misspelt sibling: it must be refused
// with its own line and path, whatever the depth.
func TestUnknownKeyIsRefusedAtEveryDepth(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(full, "\n"), "\n")
	tried := 0
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		if strings.HasPrefix(trimmed, "- ") || strings.HasPrefix(trimmed, "messages:") ||
			strings.HasPrefix(trimmed, "schema_migrations") || strings.HasPrefix(trimmed, "cid") {
			continue // a list entry begins here, or the key is free
		}
		indent := line[:len(line)-len(trimmed)]
		text := strings.Join(append(append(append([]string{}, lines[:i]...), indent+"zzqx: 1"), lines[i:]...), "\n")
		_, err := config.Parse("vigil.yaml", []byte(text), known())
		var bad *config.Error
		if !errors.As(err, &bad) || len(bad.Problems) != 1 {
			t.Fatalf("unknown key before line %d: %v", i+1, err)
		}
		p := bad.Problems[0]
		if p.Line != i+1 || p.Column != len(indent)+1 || p.Message != "unknown key" || !strings.HasSuffix(p.Field, "zzqx") {
			t.Errorf("before line %d: %s", i+1, p)
		}
		tried++
	}
	if tried < 25 {
		t.Fatalf("only %d places tried", tried)
	}
	// The levels that are written inline.
	for _, c := range []struct{ old, new, field string }{
		{`{match: "svc_*",`, `{match: "svc_*", zzqx: 1,`, "actors[0].zzqx"},
		{"{ignore: true}", "{ignore: true, zzqx: 1}", "sources[0].mapping.tables.schema_migrations.zzqx"},
	} {
		_, err := config.Parse("vigil.yaml", []byte(strings.Replace(full, c.old, c.new, 1)), known())
		if err == nil || !strings.Contains(err.Error(), c.field+": unknown key") {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const ok = "data_dir: /d\nsources: [{name: a, file: /x}]\n"
	cases := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"data_dir: is missing", "sources: is empty"}},
		{"did you mean", ok + "buget: 3\n", []string{`vigil.yaml:3:1: buget: unknown key; did you mean "budget"?`}},
		{"all of them", "dta_dir: /x\nlisten: 0.0.0.0:80\nretention: soon\nsources: 5\n", []string{
			`1:1: dta_dir: unknown key; did you mean "data_dir"?`, "2:1: listen:", "3:12: retention:", "4:10: sources: a list is expected",
		}},
		{"tab", "data_dir: /d\n\tx: 1\n", []string{"vigil.yaml:2:"}},
		{"duplicate key", "data_dir: /d\ndata_dir: /e\n", []string{"vigil.yaml:2:1"}},
		{"two documents", ok + "---\nbudget: 1\n", []string{"a second document"}},
		{"alias", "data_dir: &d /d\nlisten: *d\n", []string{"anchors, aliases and tags", "2:9"}},
		{"merge", "data_dir: /d\n<<: {budget: 1}\nsources: [{name: a, file: /x}]\n", []string{"anchors, aliases and tags"}},
		{"tag", "data_dir: !!str /d\n", []string{"anchors, aliases and tags"}},
		{"binary", "\x00\x01\x02\xff", []string{"vigil.yaml"}},
		{"deep", "sources: " + strings.Repeat("[", 1000), []string{"levels deep"}},
		{"deep list", strings.Repeat("- ", 1000), []string{"levels deep"}},
		{"scalar at the top", "hello\n", []string{"keys with values are expected"}},
		{"kinds", "data_dir: [1]\nbudget: many\nmax_actors: 1.5\nsources: [{name: a, file: {x: 1}, mapping: {tables: {t: {ignore: perhaps}}}}]\n", []string{
			"data_dir: a single value", `budget: "many" is no number`, `max_actors: "1.5" is no whole`, "file: a single value", `ignore: "perhaps" is neither`,
		}},
		{"foreign listener", ok + "listen: 192.0.2.1:80\n", []string{"3:1: listen:", "in the clear"}},
		{"listener by name", ok + "listen: console.example:80\n", []string{"in the clear"}},
		{"listener without a port", ok + "listen: localhost\n", []string{"not host:port"}},
		{"listener's port", ok + "listen: localhost:99999\n", []string{"not 0 to 65535"}},
		{"other addresses", ok + "push_listen: x\nconsole_url: ftp://x\nretention: 5m\n", []string{"push_listen:", "console_url:", "retention: 5m is shorter"}},
		{"negative", ok + "budget: -1\nmax_actors: -1\n", []string{"budget:", "max_actors:"}},
		{"actors remembered", ok + "max_actors: 255\nmax_cold: 200000000\n", []string{"3:1: max_actors: 255 is outside 256 to", "4:1: max_cold: 200000000 is outside"}},
		{"short key", ok + "pseudonym_key: short\n", []string{"fewer than 16 bytes"}},
		{"schedule", ok + "digest: bad\n", []string{`3:1: digest: "bad" is no schedule`}},
		{"names", "data_dir: /d\nsources:\n  - file: /x\n  - {name: a b, file: /x}\n  - {name: c, file: /x}\n  - {name: c, file: /x}\n", []string{
			"3:5: sources[0].name: is missing", `sources[1].name: "a b" is no name`, "sources[3].name:",
		}},
		{"neither", "data_dir: /d\nsources: [{name: a}]\n", []string{"neither file nor push"}},
		{"both", "data_dir: /d\nsources: [{name: a, file: /x, push: {token: 0123456789abcdef}}]\n", []string{"both file and push"}},
		{"pattern", "data_dir: /d\nsources: [{name: a, file: ['/x[']}]\n", []string{"no file pattern"}},
		{"push", "data_dir: /d\nsources:\n- {name: a, push: {}}\n- {name: b, push: {token: short}}\n- {name: c, push: {token: 0123456789abcdef}}\n- {name: d, push: {token: 0123456789abcdef}}\n- {name: e, push: {token: 'env:VIGIL_TEST_SURELY_UNSET'}}\n", []string{
			"sources[0].push.token: is missing", "sources[1].push.token: has fewer", `sources[3].push.token: is also the token of source "c"`, "VIGIL_TEST_SURELY_UNSET is not set",
		}},
		{"otlp", ok + "otlp_listen: 0.0.0.0:4317\n", []string{`otlp_listen: "0.0.0.0" is reached from other machines`}},
		{"otlp's tokens", "data_dir: /d\nsources:\n- {name: a, otlp: {}}\n- {name: b, push: {token: 0123456789abcdef}}\n- {name: c, otlp: {token: 0123456789abcdef, x: 1}}\n", []string{
			"sources[0].otlp.token: is missing", `sources[2].otlp.token: is also the token of source "b"`, "sources[2].otlp.x",
		}},
		{"format", "data_dir: /d\nsources: [{name: a, file: /x, format: postgres}]\n", []string{`did you mean "postgresql"?`}},
		{"format's own setting", "data_dir: /d\nsources: [{name: a, file: /x, log_format: $bad}]\n", []string{`unknown variable "$bad"`}},
		{"mapping", "data_dir: /d\nsources:\n- name: a\n  file: /x\n  mapping:\n    preset: chatwot\n    tables:\n      Messages:\n        columns: {a: conversion}\n    paths: [{template: api}, {template: '/a/{user}', action: peek}]\n    params: {p: who}\n", []string{
			`6:5: sources[0].mapping.preset: "chatwot" is no preset; did you mean "chatwoot"?`, "8:7: sources[0].mapping.tables.Messages:",
			`columns.a: "conversion" is no meaning; did you mean "conversation"?`, "paths[0].template", `paths[1].template: "user" is no meaning`, `paths[1].action: "peek"`, `params.p: "who"`,
		}},
		{"rules", ok + "actors:\n- {kind: human}\n- {match: 'a['}\n- {match: a, network: 10.0.0.0, kind: robot}\n", []string{
			"actors[0]: matches everyone", "actors[1].match:", "actors[1]: says nothing", "actors[2].network:", "actors[2].kind:",
		}},
		{"outside", ok + "slack: {channel: C1, api_url: 'ftp://x'}\ninflux: {bucket: b}\n", []string{"slack.token: is missing", "slack.api_url:", "influx.url: is missing"}},
		{"channels that there are not", ok + "alerts: {fallback: mail, officers: [slack, dpo]}\nslack: {token: t, channel: C1}\n", []string{
			`alerts.fallback: there is no channel "mail"`, `alerts.officers[1]: there is no channel "dpo"; the channels are slack`,
		}},
		{"outside, the other half", ok + "slack: {token: t}\ninflux: {url: 'http://u:p@h'}\n", []string{"slack.channel: is missing", "influx.url: holds", "influx.bucket: is missing"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse("vigil.yaml", []byte(c.text), known())
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%s", want, err)
				}
			}
		})
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vigil.yaml")
	if _, err := config.Load(path, known()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("x: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path, known()); err == nil || !strings.Contains(err.Error(), path+":1:1: x: unknown key") {
		t.Errorf("bad file: %v", err)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	const canary = "canary-5f2b9c"
	type inner struct {
		S config.Secret
		s config.Secret
	}
	v := inner{S: config.NewSecret(canary), s: config.NewSecret(canary)}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", v)
		fmt.Fprintf(&out, verb+"\n", &v)
		fmt.Fprintf(&out, verb+"\n", v.S)
		fmt.Fprintf(&out, verb+"\n", []any{v.S, map[string]config.Secret{"a": v.s}})
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	out.Write(y)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "secret", v.S, "struct", v)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "secret", v.S, "struct", v)
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the secret shows:\n%s", out.String())
	}
	if !strings.Contains(string(j), "[redacted]") {
		t.Errorf("json: %s", j)
	}
	if got, err := v.S.Reveal(); err != nil || got != canary {
		t.Errorf("Reveal = %q, %v", got, err)
	}
}

func TestSecretReferences(t *testing.T) {
	t.Setenv("VIGIL_TEST_SECRET", " from-env\n")
	t.Setenv("VIGIL_TEST_EMPTY", "")
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"env:VIGIL_TEST_SECRET": "from-env", "file:" + path: "from-file", "plain": "plain", "": "",
	} {
		if got, err := config.NewSecret(text).Reveal(); err != nil || got != want {
			t.Errorf("Reveal(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"env:VIGIL_TEST_EMPTY", "env:VIGIL_TEST_SURELY_UNSET", "file:" + path + "x", "file:/dev/null"} {
		if _, err := config.NewSecret(text).Reveal(); err == nil {
			t.Errorf("Reveal(%q) found something", text)
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "30d": 720 * time.Hour, "2w": 336 * time.Hour, "1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "90m": 90 * time.Minute,
	} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.Std() != want {
			t.Errorf("%q = %v, %v", text, d.Std(), err)
		}
		var again config.Duration
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%q prints as %q, which reads as %v, %v", text, d, again, err)
		}
	}
	for _, text := range []string{"", "30", "d", "-1d", "1y", "1000000d", "1..2d", "1d ", "٣d"} {
		var d config.Duration
		if err := d.UnmarshalText([]byte(text)); err == nil && text != "1d " {
			t.Errorf("%q = %v", text, d)
		}
	}
	for text, want := range map[string]config.Size{"7": 7, "500MB": 500 << 20, "20GB": 20 << 30, "1.5 KB": 1536, "2tib": 2 << 40} {
		var z config.Size
		if err := z.UnmarshalText([]byte(text)); err != nil || z != want {
			t.Errorf("%q = %v, %v", text, z, err)
		}
		var again config.Size
		if err := again.UnmarshalText([]byte(z.String())); err != nil || again != z {
			t.Errorf("%q prints as %q, which reads as %v, %v", text, z, again, err)
		}
	}
	for _, text := range []string{"", "MB", "1XB", "-1", "99999999TB"} {
		var z config.Size
		if err := z.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q = %v", text, z)
		}
	}
}
