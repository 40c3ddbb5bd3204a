package starter

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"vigil/internal/app"
	"vigil/internal/config"
)

//go:embed vigil.yaml.tmpl
var page string

// The variables of the environment file.
const (
	pushVariable  = "VIGIL_BOT_TOKEN"
	slackVariable = "VIGIL_SLACK_TOKEN"
)

// shown is what the configuration's template is filled with.
type shown struct {
	// Path and Env are the names of the files; Env is empty when there are no secrets.
	Path, Env string
	DataDir   string
	// Sources are entries of the list.
	Sources []string
	// Push is the name of the source that applications send to, empty for none.
	Push, PushToken     string
	Channel, SlackToken string
	Default             *config.Config
}

// plainText needs no quotes in YAML.
var plainText = regexp.MustCompile(`^/[A-Za-z0-9/._-]*$`)

// text writes the configuration. Mapping files are said to be in mappings; secret gives
// what stands for a variable.
func (c *Choices) text(path, env, mappings string, secret func(variable string) string) ([]byte, error) {
	s := shown{
		Path: filepath.Base(path), Env: env, DataDir: c.DataDir, Channel: c.Channel, Default: config.DefaultConfig(),
		PushToken: secret(pushVariable), SlackToken: secret(slackVariable),
	}
	for i := range c.Sources {
		mapping := ""
		if c.Sources[i].MappingFile != "" {
			mapping = filepath.Join(mappings, mappingName(&c.Sources[i]))
		}
		s.Sources = append(s.Sources, strings.TrimRight(c.Sources[i].YAML(mapping), "\n"))
	}
	if c.Push {
		s.Push = c.pushName()
	}
	t, err := template.New("vigil.yaml").Funcs(template.FuncMap{
		"plain": func(text string) string {
			if plainText.MatchString(text) {
				return text
			}
			return strconv.Quote(text)
		},
		"json": func(v any) (string, error) {
			text, err := json.Marshal(v)
			return string(text), err
		},
	}).Parse(page)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, s); err != nil {
		return nil, fmt.Errorf("fill the template: %w", err)
	}
	return []byte(b.String()), nil
}

// mappingName is the name of a source's mapping file.
func mappingName(s *app.SuggestedSource) string { return s.Name + ".mapping.yaml" }

// pushName is a name that no log's source has.
func (c *Choices) pushName() string {
	taken := func(name string) bool {
		return slices.ContainsFunc(c.Sources, func(s app.SuggestedSource) bool { return s.Name == name })
	}
	name := "bot"
	for n := 2; taken(name); n++ {
		name = "bot-" + strconv.Itoa(n)
	}
	return name
}

// secrets says whether anything is kept in the environment file.
func (c *Choices) secrets() bool { return c.Push || c.Channel != "" }

// environment writes the environment file: what it held before, and what is missing.
func (c *Choices) environment(path, env, before, token string) string {
	var b strings.Builder
	if before == "" {
		fmt.Fprintf(&b, "# Secrets that %s names. Only their owner may read them, and they belong into no repository.\n", filepath.Base(path))
		fmt.Fprintf(&b, "# For a shell: set -a; . ./%s; set +a   For systemd: EnvironmentFile=\n", env)
	}
	b.WriteString(before)
	if before != "" && !strings.HasSuffix(before, "\n") {
		b.WriteString("\n")
	}
	if _, has := valueOf(before, pushVariable); c.Push && !has {
		fmt.Fprintf(&b, "# The token by which applications that send events are known.\n%s=%s\n", pushVariable, token)
	}
	if c.Channel != "" && !strings.Contains(before, slackVariable+"=") {
		fmt.Fprintf(&b, "# The bot token of the Slack app: take the # off and write it here.\n#%s=xoxb-...\n", slackVariable)
	}
	return b.String()
}

// valueOf finds a variable in the text of an environment file.
func valueOf(text, variable string) (value string, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if v, is := strings.CutPrefix(line, variable+"="); is {
			value, ok = strings.Trim(v, `"'`), true // the last one counts, as in a shell
		}
	}
	return value, ok
}
