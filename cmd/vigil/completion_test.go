package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// script makes a shell's script.
func completionScript(t *testing.T, shell string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run([]string{"completion", shell}, streams{out: &out, err: &errs}); code != 0 || errs.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	path := filepath.Join(t.TempDir(), "vigil."+shell)
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shells complete the last of a line's words; each answers with candidates, one a line.
var shells = map[string]func(script string, words []string) (program string, args []string){
	"bash": func(script string, words []string) (string, []string) {
		// bash parts words at the sign.
		var parted []string
		for _, w := range words {
			if flag, value, ok := strings.Cut(w, "="); ok && strings.HasPrefix(w, "--") {
				parted = append(parted, flag, "=")
				if value != "" {
					parted = append(parted, value)
				}
				continue
			}
			parted = append(parted, w)
		}
		return "bash", append([]string{"--norc", "-c", `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vigil; printf '%s\n' "${COMPREPLY[@]}"`, "bash", script}, parted...)
	},
	"fish": func(script string, words []string) (string, []string) {
		return "fish", []string{"--no-config", "-c", `source $argv[1]; complete -C "$argv[2]" | string replace -r '\t.*' ''; true`, script, strings.Join(words, " ")}
	},
	// zsh completes only at a prompt; what its own functions would be given is printed instead.
	"zsh": func(script string, words []string) (string, []string) {
		return "zsh", append([]string{"-f", "-c", `
			compdef() { }
			compset() { }
			compadd() { print -l -- "${(@P)2}" }
			_describe() { local name=$argv[-1]; print -l -- "${(@)${(@P)name}%%:*}" }
			_files() { local d; [[ $1 == -/ ]] && print -l -- *(/N) || print -l -- *(N) }
			source "$1"; shift; words=("$@"); CURRENT=$#; _vigil`, "zsh", script}, words...)
	},
}

func complete(t *testing.T, shell, script, dir string, words []string) []string {
	t.Helper()
	program, args := shells[shell](script, words)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, out)
	}
	last := words[len(words)-1]
	if _, value, ok := strings.Cut(last, "="); ok && strings.HasPrefix(last, "--") {
		last = value
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if flag, value, ok := strings.Cut(line, "="); ok && strings.HasPrefix(flag, "--") {
			line = value // fish gives the whole word
		}
		if line = strings.TrimSuffix(line, "/"); line != "" && strings.HasPrefix(line, last) {
			found = append(found, line)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// What real shells offer behind a line. Where a shell is not installed its part is skipped.
func TestCompletion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "list.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for shell := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("NOT TESTED: %s is not installed here", shell)
			}
			script := completionScript(t, shell)
			for _, c := range []struct {
				line string
				want []string
			}{
				{"vigil sc", []string{"scan", "schema", "score"}},
				{"vigil sources ", []string{"status", "suggest"}},
				{"vigil completion ", []string{"bash", "fish", "zsh"}},
				{"vigil schema c", []string{"collect"}},
				{"vigil scan --pre", []string{"--preset"}},
				{"vigil scan --preset ", []string{"chatwoot", "rasa"}},
				{"vigil scan --preset=c", []string{"chatwoot"}},
				{"vigil scan --format ngi", []string{"nginx"}},
				{"vigil scan --fail-on ", []string{"critical", "high", "low", "medium"}},
				{"vigil formats post", []string{"postgresql"}},
				{"vigil findings verdict 17 mis", nil}, // only the first behind the flags is completed
				{"vigil findings list --min ", []string{"critical", "high", "low", "medium"}},
				{"vigil scan l", []string{"list.yaml", "logs"}},
				{"vigil check -c l", []string{"list.yaml", "logs"}},
				{"vigil check --config=l", []string{"list.yaml", "logs"}},
				{"vigil init --data-dir l", []string{"logs"}},
				{"vigil init --o", []string{"--out"}},
				// The value of a flag is no command, and a flag without one takes none.
				{"vigil rules list --config show --js", []string{"--json"}},
				{"vigil drill --help g", []string{"gain"}},
				{"vigil honey list --config=list --to", nil},
				{"vigil drill run T01", drillIDs("T01")},
				{"vigil serve --h", []string{"--help"}},
				{"vigil scan --since ", nil},
			} {
				if got := complete(t, shell, script, dir, strings.Split(c.line, " ")); !slices.Equal(got, c.want) {
					t.Errorf("%q: %q, not %q", c.line, got, c.want)
				}
			}
		})
	}
}

func drillIDs(prefix string) (ids []string) {
	var out, errs bytes.Buffer
	run([]string{"drill", "list"}, streams{out: &out, err: &errs})
	for word := range strings.FieldsSeq(out.String()) {
		if strings.HasPrefix(word, prefix) {
			ids = append(ids, word)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Each command there is is offered by each script.
func TestCompletionKnowsEachCommand(t *testing.T) {
	t.Parallel()
	var names []string
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for f := range typ.Fields() {
			if _, ok := f.Tag.Lookup("cmd"); ok {
				names = append(names, path+" "+strings.ToLower(f.Name))
				walk(f.Type, names[len(names)-1])
			}
		}
	}
	walk(reflect.TypeFor[commands](), "vigil")
	if len(names) < 40 {
		t.Errorf("there are only %q", names)
	}
	for shell := range shells {
		script, err := os.ReadFile(completionScript(t, shell))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !bytes.Contains(script, []byte(name+`"`)) && !bytes.Contains(script, []byte(name+"'")) {
				t.Errorf("%s does not know %q", shell, name)
			}
		}
	}
}
