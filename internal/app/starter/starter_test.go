package starter_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"vigil/internal/app"
	"vigil/internal/app/starter"
	"vigil/internal/config"
)

// logs writes two logs, one of no format that is known, and looks at them.
func logs(t *testing.T) []app.SuggestedSource {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bot.log": `192.0.2.7 - ann [12/Oct/2026:09:14:05 +0000] "GET /api/customers/4711/notes HTTP/1.1" 200 812 "-" "Mozilla/5.0"` + "\n",
		"own.json": `{"ts":"2026-11-02T09:14:05Z","user":{"email":"ann@example.com"},"op":"view","object":"note","client":{"ip":"192.0.2.1"}}` + "\n" +
			`{"ts":"2026-11-02T09:14:06Z","user":{"email":"bob@example.com"},"op":"export","object":"note","client":{"ip":"192.0.2.1"}}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources, _, err := app.Suggest([]string{dir})
	if err != nil || len(sources) != 2 {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	return sources
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// written makes a configuration in a folder of its own and returns its text.
func written(t *testing.T, c *starter.Choices) (path, text string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "vigil.yaml")
	if _, err := starter.Write(path, c, false); err != nil {
		t.Fatal(err)
	}
	return path, read(t, path)
}

// variants are configurations in which different things stand as comments.
func variants(t *testing.T) map[string]*starter.Choices {
	t.Helper()
	dir := t.TempDir()
	return map[string]*starter.Choices{
		"logs":   {DataDir: dir, Sources: logs(t)},
		"pushes": {DataDir: filepath.Join(dir, `a "folder" of ours`), Push: true, Channel: "C0123ABC"},
		"both":   {DataDir: dir, Sources: logs(t), Push: true, Channel: "C0123ABC"},
	}
}

// commented is a line that is no sentence: more, or less, than one space follows the sign.
var commented = regexp.MustCompile(`^( *)#(\S.*|  .*)$`)

// blocks are the ranges of lines, from and to, which are commented out together.
func blocks(lines []string) (found [][2]int) {
	for i := 0; i < len(lines); i++ {
		from := i
		for i < len(lines) && commented.MatchString(lines[i]) {
			i++
		}
		if i > from {
			found = append(found, [2]int{from, i})
		}
	}
	return found
}

func uncomment(lines []string, block [2]int) []string {
	out := append([]string(nil), lines...)
	for i := block[0]; i < block[1]; i++ {
		out[i] = commented.ReplaceAllString(out[i], "$1$2")
	}
	return out
}

// Whatever is commented out can be used as it stands: each block alone, and all together.
func TestExamplesCanBeUsed(t *testing.T) {
	known := app.Known()
	known.Certificate, known.Rules = nil, nil // these look at files of the reader's machine
	secrets := map[string]string{
		"VIGIL_AUDIT_DB": "postgres://vigil:p@db.example.org:5432/helpdesk",
		"VIGIL_REDIS":    "rediss://vigil:p@cache.example.org:6379",

		"VIGIL_PAGERDUTY_KEY": "0123456789abcdef0123456789abcdef",
	}
	for name, c := range variants(t) {
		path, text := written(t, c)
		for _, m := range regexp.MustCompile(`env:([A-Z][A-Z0-9_]+)`).FindAllStringSubmatch(text, -1) {
			value := secrets[m[1]]
			if value == "" {
				value = "a secret for " + m[1]
			}
			t.Setenv(m[1], value)
		}
		lines := strings.Split(text, "\n")
		all := lines
		found := blocks(lines)
		if len(found) < 25 {
			t.Errorf("%s: only %d examples", name, len(found))
		}
		for _, b := range found {
			if _, err := config.Parse(path, []byte(strings.Join(uncomment(lines, b), "\n")), known); err != nil {
				t.Errorf("%s: this can't be used:\n%s\n%v", name, strings.Join(lines[b[0]:b[1]], "\n"), err)
			}
			all = uncomment(all, b)
		}
		if _, err := config.Parse(path, []byte(strings.Join(all, "\n")), known); err != nil {
			t.Errorf("%s: all together can't be used: %v", name, err)
		}
	}
}

// Each setting of the service, and each way in, stands in what is written.
func TestEverySettingIsThere(t *testing.T) {
	t.Parallel()
	_, text := written(t, &starter.Choices{DataDir: t.TempDir(), Push: true})
	for typ, pattern := range map[reflect.Type]string{
		reflect.TypeFor[config.Config](): `(?m)^#?%s:`,
		reflect.TypeFor[config.Source](): `[ {]%s: `,
	} {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if typ == reflect.TypeFor[config.Source]() && f.Type.Kind() != reflect.Pointer && f.Name != "File" && f.Name != "Collector" {
				continue // not a way in
			}
			if key := f.Tag.Get("yaml"); !regexp.MustCompile(fmt.Sprintf(pattern, key)).MatchString(text) {
				t.Errorf("%s of %s is not there", key, typ)
			}
		}
	}
}

// What was written is what was chosen.
func TestWrittenIsWhatWasChosen(t *testing.T) {
	c := &starter.Choices{DataDir: "/srv/it's vigil: #1", Sources: logs(t), Push: true, Channel: "C0123ABC"}
	path := filepath.Join(t.TempDir(), "below", "mine.yaml")
	w, err := starter.Write(path, c, false)
	if err != nil {
		t.Fatal(err)
	}
	if w.Config != path || w.Env != filepath.Join(filepath.Dir(path), "mine.env") || len(w.Mappings) != 1 {
		t.Errorf("got %+v", w)
	}
	env := read(t, w.Env)
	token := regexp.MustCompile(`(?m)^VIGIL_BOT_TOKEN=([0-9a-f]{64})$`).FindStringSubmatch(env)
	if token == nil || !strings.Contains(env, "\n#VIGIL_SLACK_TOKEN=") {
		t.Fatalf("got %q", regexp.MustCompile("=[0-9a-f]+").ReplaceAllString(env, "=..."))
	}
	text := read(t, path)
	if strings.Contains(text, token[1]) {
		t.Error("the token stands in the configuration")
	}
	for file, mode := range map[string]os.FileMode{path: 0o644, w.Env: 0o600, w.Mappings[0]: 0o644} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	t.Setenv("VIGIL_BOT_TOKEN", token[1])
	t.Setenv("VIGIL_SLACK_TOKEN", "xoxb-1")
	cfg, err := config.Load(path, app.Known())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.DataDir != c.DataDir || cfg.Slack.Channel != "C0123ABC" || len(cfg.Sources) != 3 {
		t.Errorf("got %+v", cfg)
	}
	// A log that is called bot has the name already.
	if cfg.Sources[0].Name != "bot" || cfg.Sources[1].Format != "mapped" || cfg.Sources[2].Name != "bot-2" || cfg.Sources[2].Push == nil {
		t.Errorf("got %+v", cfg.Sources)
	}
}

// Nothing is replaced unasked, and senders keep their token in any case.
func TestReplacing(t *testing.T) {
	t.Parallel()
	c := &starter.Choices{DataDir: t.TempDir(), Push: true}
	path, text := written(t, c)
	env := starter.EnvPath(path)
	before := read(t, env) + "OTHER=1"
	if err := os.WriteFile(env, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	var exists *starter.ExistsError
	if _, err := starter.Write(path, c, false); !errors.As(err, &exists) {
		t.Errorf("got %v", err)
	}
	if err := starter.Free(path); !errors.As(err, &exists) || exists.Path != path {
		t.Errorf("got %v", err)
	}
	if read(t, path) != text || read(t, env) != before {
		t.Error("something was changed")
	}
	// The file of secrets counts too.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := starter.Free(path); !errors.As(err, &exists) || exists.Path != env || !strings.Contains(err.Error(), "keeps the secrets") {
		t.Errorf("got %v", err)
	}
	c.Channel = "C0123ABC"
	if _, err := starter.Write(path, c, true); err != nil {
		t.Fatal(err)
	}
	got := read(t, env)
	if !strings.HasPrefix(got, before+"\n") || strings.Count(got, "VIGIL_BOT_TOKEN=") != 1 || !strings.Contains(got, "#VIGIL_SLACK_TOKEN=") {
		t.Error("the secrets were not kept, or Slack's was not added")
	}
	if info, err := os.Stat(env); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := starter.Write(path, c, true); err != nil || read(t, env) != got {
		t.Errorf("a second time changes something, %v", err)
	}
	left(t, filepath.Dir(path), "vigil.env", "vigil.yaml")
}

// left checks what a folder holds.
func left(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, not %q", dir, got, want)
	}
}

// When anything is wrong nothing at all is written.
func TestNothingHalf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "vigil.yaml")
	sources := logs(t)
	bad := sources[0]
	bad.Format = "nosuch"
	for name, c := range map[string]*starter.Choices{
		"no source":      {DataDir: "/srv/vigil"},
		"no folder":      {Push: true},
		"a bad format":   {DataDir: "/srv/vigil", Push: true, Sources: []app.SuggestedSource{bad}},
		"one name twice": {DataDir: "/srv/vigil", Sources: []app.SuggestedSource{sources[0], sources[0]}},
	} {
		if _, err := starter.Write(path, c, false); err == nil {
			t.Errorf("%s: no error", name)
		}
		left(t, dir)
	}
	// A folder is in the way, of the configuration or of what goes with it.
	push := &starter.Choices{DataDir: "/srv/vigil", Push: true, Sources: sources}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, force := range []bool{false, true} {
		if _, err := starter.Write(path, push, force); err == nil || !strings.Contains(err.Error(), "is a folder") {
			t.Errorf("force %t: %v", force, err)
		}
		if _, err := starter.Write(filepath.Join(path, "vigil.yaml", "x.yaml"), push, force); err != nil {
			t.Errorf("force %t: %v", force, err)
		}
		if err := os.RemoveAll(filepath.Join(path, "vigil.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	left(t, dir, "vigil.yaml")
	if err := starter.Free(path); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("got %v", err)
	}
	if _, err := starter.Write(filepath.Join(dir, "x.env"), &starter.Choices{DataDir: "/srv/vigil", Push: true}, false); err == nil {
		t.Error("no error")
	}
	left(t, dir, "vigil.yaml")
}

func TestAnswers(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"~/data": filepath.Join(home, "data"), "/srv/a/b/c": "/srv/a/b/c", file + "/x": "", file: "", " ": ""} {
		if got, err := starter.DataDir(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, good := range map[string]bool{"": true, "C0123ABC": true, "#alerts": false, "alerts": false, "C0 x": false, "C01\n": false} {
		if err := starter.CheckChannel(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
	if dir := starter.DefaultDataDir(); !filepath.IsAbs(dir) {
		t.Errorf("%q is not absolute", dir)
	}
}
