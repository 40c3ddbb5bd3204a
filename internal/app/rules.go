package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"vigil/detector/rules"
	"vigil/internal/config"
	"vigil/internal/yaml"
)

// maxRuleFiles bounds the user's own rules.
const maxRuleFiles = 500

// LoadRules reads the user's rules, runs their examples, and puts them together with
// those that are built in. Patterns are files, folders of .yaml files, or globs. The
// set is nil when there are problems, of which each names its file and place.
func LoadRules(patterns []string) (*rules.Set, []config.Problem) {
	all, err := rules.Builtin()
	if err != nil {
		var bad *yaml.Error
		if errors.As(err, &bad) {
			return nil, bad.Problems
		}
		return nil, []config.Problem{{File: "built-in rules", Message: err.Error()}}
	}
	files, problems := ruleFiles(patterns)
	from := map[string]string{}
	for _, file := range files {
		r, wrong := LoadRule(file)
		problems = append(problems, wrong...)
		if r == nil {
			continue
		}
		if first, twice := from[r.ID]; twice {
			problems = append(problems, config.Problem{File: file, Field: "id", Message: fmt.Sprintf("%q is also the id of the rule in %s", r.ID, first), Remedy: "give each rule an id of its own"})
		}
		from[r.ID] = file
		all = append(all, r)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return rules.New(all), nil
}

// LoadRule reads one rule's file and runs its examples.
func LoadRule(file string) (*rules.Rule, []config.Problem) {
	f, err := os.Open(file)
	if err != nil {
		return nil, []config.Problem{{File: file, Message: "can't be read: " + err.Error()}}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, yaml.MaxFile+1))
	if err != nil {
		return nil, []config.Problem{{File: file, Message: "can't be read: " + err.Error()}}
	}
	r, wrong := rules.Load(file, text)
	if r == nil {
		return nil, wrong
	}
	wrong = r.Try()
	return r, wrong
}

// ruleFiles lists the files that patterns name, each once, sorted.
func ruleFiles(patterns []string) (files []string, problems []config.Problem) {
	for _, pattern := range patterns {
		at := pattern
		if info, err := os.Stat(pattern); err == nil && info.IsDir() {
			at = filepath.Join(pattern, "*.y*ml")
		}
		found, err := filepath.Glob(at)
		switch {
		case err != nil:
			problems = append(problems, config.Problem{File: pattern, Message: "is no file pattern", Remedy: `write for example "/etc/vigil/rules/*.yaml"`})
		case len(found) == 0 && at == pattern:
			problems = append(problems, config.Problem{File: pattern, Message: "no such rule file", Remedy: "name a file, a folder of .yaml files, or a pattern that fits some"})
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) > maxRuleFiles {
		problems = append(problems, config.Problem{File: files[maxRuleFiles], Message: fmt.Sprintf("%d rule files, at most %d are read", len(files), maxRuleFiles)})
		files = nil
	}
	return files, problems
}
