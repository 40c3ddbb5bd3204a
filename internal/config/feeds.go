package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/internal/yaml"
)

// maxFeeds bounds the feeds of one file.
const maxFeeds = 200

// feeds checks what tells reasons.
func (c *checker) feeds() {
	if len(c.cfg.Feeds) > maxFeeds {
		c.at("feeds", fmt.Sprintf("has %d entries, at most %d are read", len(c.cfg.Feeds), maxFeeds), "")
		return
	}
	seen := map[string]int{}
	tokens := map[string]string{}
	for i := range c.cfg.Feeds {
		f := &c.cfg.Feeds[i]
		field := fmt.Sprintf("feeds[%d]", i)
		c.named("feed", f.Name, seen, i)
		c.feed(field, f, tokens)
	}
}

func (c *checker) feed(field string, f *Feed, tokens map[string]string) {
	var kinds []string
	for _, k := range vigil.FactKinds() {
		kinds = append(kinds, string(k))
	}
	if !slices.Contains(kinds, string(f.Kind)) && !c.bad(field+".kind") {
		remedy := "the kinds are " + strings.Join(kinds, ", ")
		if near := yaml.Nearest(string(f.Kind), kinds); near != "" && f.Kind != "" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		c.at(field+".kind", fmt.Sprintf("%q is no kind of feed", f.Kind), remedy)
	}
	switch {
	case len(f.File) > 0 && f.Push != nil:
		c.at(field, "has both file and push", "make two feeds of it")
	case len(f.File) == 0 && f.Push == nil && !c.bad(field+".file") && !c.bad(field+".push"):
		c.at(field, "has neither file nor push", `name its files ("file: /var/lib/hr/people.csv") or a push token`)
	}
	for i, glob := range f.File {
		if _, err := filepath.Match(glob, ""); err != nil || glob == "" {
			c.at(fmt.Sprintf("%s.file[%d]", field, i), fmt.Sprintf("%q is no file pattern", glob), `write for example "/var/lib/hr/*.csv"`)
		}
	}
	if f.Push != nil {
		c.push(field+".push.token", f.Push, fmt.Sprintf("feed %q", f.Name), tokens)
	}
	if f.Timezone != "" {
		if _, err := time.LoadLocation(f.Timezone); err != nil || f.Timezone == "Local" {
			c.at(field+".timezone", fmt.Sprintf("%q is no time zone", f.Timezone), `write for example "Europe/Berlin", or leave it out for UTC`)
		}
	}
	for _, ours := range slices.Sorted(maps.Keys(f.Columns)) {
		if strings.TrimSpace(f.Columns[ours]) == "" && !c.bad(field+".columns."+ours) {
			c.at(field+".columns."+ours, "is empty", "write the feed's own name of this column")
		}
	}
}

// Location is where times without a zone are meant.
func (f *Feed) Location() *time.Location {
	if f.Timezone == "" {
		return time.UTC
	}
	loc, err := time.LoadLocation(f.Timezone)
	if err != nil {
		return time.UTC // a configuration that was not checked
	}
	return loc
}
