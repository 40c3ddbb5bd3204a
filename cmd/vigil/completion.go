package main

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"

	"vigil/collectors/formats/presets"
	"vigil/internal/app"
	"vigil/internal/drill"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"For which shell: bash, zsh or fish."`
}

// Help is shown below the flags.
func (completionCommand) Help() string {
	return `Prints a script by which the shell completes vigil's commands, flags, and what can stand behind them. Print it again
after an update.

Examples:

    source <(vigil completion bash)
    vigil completion bash > ~/.local/share/bash-completion/completions/vigil
    vigil completion zsh > ~/.zfunc/_vigil    # a folder of fpath, before compinit
    vigil completion fish > ~/.config/fish/completions/vigil.fish`
}

//go:embed completion/*.tmpl
var completionPages embed.FS

// What completes a value.
const (
	completeNothing = ""
	completeFiles   = "files"
	completeFolders = "folders"
	completeWords   = "words"
)

// completedNode is a command as completion sees it.
type completedNode struct {
	// Path is how it is called: "vigil rules list".
	Path  string
	Subs  []completedSub
	Flags []completedFlag
	// Arg completes what stands behind the flags.
	Arg completedValue
}

type completedSub struct{ Name, Path, Help string }

// completedValue is how a value is completed; Words are for completeWords.
type completedValue struct {
	By    string
	Words []string
}

type completedFlag struct {
	// Names are as written, "--config" and "-c"; Long and Short are without dashes.
	Names       []string
	Long, Short string
	Help        string
	// TakesValue tells those that a word follows, which Value completes.
	TakesValue bool
	Value      completedValue
}

// Run prints the script.
func (c *completionCommand) Run(kctx *kong.Context, io streams) error {
	t, err := template.New(c.Shell+".tmpl").Funcs(template.FuncMap{
		"join": strings.Join,
		// A text in single quotes, as each of the shells takes it.
		"quote": func(s string) string {
			if c.Shell == "fish" {
				return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
			}
			return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		},
	}).ParseFS(completionPages, "completion/"+c.Shell+".tmpl")
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	return t.Execute(io.out, completedNodes(kctx.Model.Node, nil))
}

// completedNodes lists a command and all below it.
func completedNodes(n *kong.Node, flags []*kong.Flag) (nodes []completedNode) {
	flags = append(slices.Clone(flags), n.Flags...)
	node := completedNode{Path: pathOf(n)}
	for _, sub := range n.Children {
		if !sub.Hidden {
			node.Subs = append(node.Subs, completedSub{Name: sub.Name, Path: pathOf(sub), Help: sub.Help})
		}
	}
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		out := completedFlag{Names: []string{"--" + f.Name}, Long: f.Name, Help: f.Help, TakesValue: !f.IsBool() && !f.IsCounter()}
		if f.Short != 0 {
			out.Short = string(f.Short)
			out.Names = append(out.Names, "-"+out.Short)
		}
		if out.TakesValue {
			out.Value = completed(f.Value, f.PlaceHolder)
		}
		node.Flags = append(node.Flags, out)
	}
	if len(n.Positional) > 0 {
		node.Arg = completed(n.Positional[0], "")
	}
	nodes = append(nodes, node)
	for _, sub := range n.Children {
		if !sub.Hidden {
			nodes = append(nodes, completedNodes(sub, flags)...)
		}
	}
	return nodes
}

// pathOf is how a command is called.
func pathOf(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return pathOf(n.Parent) + " " + n.Name
}

// plainWord can stand in any shell's list of words as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// completed says how a value is completed: by its enumeration, else by its name where
// there is a list of what can be, else by what help calls it.
func completed(v *kong.Value, placeholder string) completedValue {
	var words []string
	switch {
	case v.Enum != "":
		words = v.EnumSlice()
	case v.Name == "format", v.Name == "name" && v.Flag == nil:
		words = app.FormatNames()
	case v.Name == "preset":
		words = presets.Names()
	case v.Name == "fail-on":
		words = []string{"low", "medium", "high", "critical"}
	case v.Name == "id" && v.IsCumulative() && strings.Contains(v.Help, "drill"):
		for _, s := range drill.Scenarios() {
			words = append(words, s.ID)
		}
	case v.Name == "file" || v.Name == "rule" || slices.Contains([]string{"FILE", "PATH", "LOG"}, placeholder):
		return completedValue{By: completeFiles}
	case placeholder == "DIR" || placeholder == "FOLDER":
		return completedValue{By: completeFolders}
	}
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !plainWord.MatchString(w) })
	if len(words) == 0 {
		return completedValue{By: completeNothing}
	}
	return completedValue{By: completeWords, Words: words}
}
