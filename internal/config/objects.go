package config

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// Objects reads what is put into a bucket, container or folder.
type Objects struct {
	// URL is where objects lie: "s3://bucket?region=eu-central-1", "gs://bucket",
	// "azblob://container?storage_account=name", or a folder's path. Required. It holds no
	// credentials: those come by the products' usual chains.
	URL string `yaml:"url"`
	// Prefix lists the beginnings of keys that are read, with {yyyy}, {mm}, {dd} and {hh}
	// for the parts of a date in UTC. Empty reads all keys.
	Prefix []string `yaml:"prefix"`
	// Match is a glob on keys, on their last part where it has no slash. Empty takes all.
	Match string `yaml:"match"`
	// Poll is how often objects are listed, at least a second. Default a minute, and an
	// hour with notifications.
	Poll Duration `yaml:"poll"`
	// Notifications is the queue that tells of new objects. Empty for none.
	Notifications string `yaml:"notifications"`
	// Start is from when on objects are read at the first start: a time, or "all". Default
	// the lookback before it.
	Start string `yaml:"start"`
	// Lookback is how late an object may turn up, at least an hour. Default 48 hours.
	Lookback Duration `yaml:"lookback"`
}

// maxPrefixes bounds the prefixes of one source.
const maxPrefixes = 1_000

// Since is what Start says: all for "all", else the time, zero when none is given.
func (k *Objects) Since() (since time.Time, all bool, err error) {
	switch k.Start {
	case "":
		return time.Time{}, false, nil
	case "all":
		return time.Time{}, true, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if since, err = time.Parse(layout, k.Start); err == nil {
			return since, false, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%q is no time", k.Start)
}

func (k *Objects) check(c *checker, field string) {
	k.checkURL(c, field+".url")
	_, all, err := k.Since()
	if err != nil {
		c.at(field+".start", err.Error(), `write for example "2026-11-01", "2026-11-01T09:00:00Z" or "all"`)
	}
	if len(k.Prefix) > maxPrefixes {
		c.at(field+".prefix", fmt.Sprintf("has %d entries, at most %d are read", len(k.Prefix), maxPrefixes), "use a shorter beginning and a match")
	}
	for i, p := range k.Prefix {
		k.checkPrefix(c, fmt.Sprintf("%s.prefix[%d]", field, i), p, all)
	}
	if k.Match != "" && !isGlob(k.Match) {
		c.at(field+".match", fmt.Sprintf("%q is no pattern", k.Match), `write for example "**/*.json.gz"`)
	}
	if k.Poll != 0 && k.Poll < Duration(time.Second) {
		c.at(field+".poll", fmt.Sprintf("%s is shorter than a second", k.Poll), "write for example 1m")
	}
	if k.Lookback != 0 && k.Lookback < Duration(time.Hour) {
		c.at(field+".lookback", fmt.Sprintf("%s is shorter than an hour", k.Lookback), "write for example 48h")
	}
	if k.Notifications == "" {
		return
	}
	u, err := url.Parse(k.Notifications)
	switch {
	case err != nil || !slices.Contains([]string{"awssqs", "gcppubsub", "azuresb"}, u.Scheme) || u.Host == "":
		c.at(field+".notifications", "is no queue", `write "awssqs://...", "gcppubsub://..." or "azuresb://...", as the page about objects shows`)
	case u.User != nil:
		c.at(field+".notifications", "holds a user or password", "credentials come from the environment, a file or the machine's role")
	}
}

func (k *Objects) checkURL(c *checker, field string) {
	if k.URL == "" {
		if !c.bad(field) {
			c.at(field, "is missing", `write for example "s3://bucket?region=eu-central-1", or a folder's path`)
		}
		return
	}
	if path.IsAbs(k.URL) {
		return
	}
	u, err := url.Parse(k.URL)
	if err != nil {
		c.at(field, "can't be read", `write for example "s3://bucket?region=eu-central-1"`)
		return
	}
	switch {
	case !slices.Contains([]string{"s3", "gs", "azblob", "file"}, u.Scheme):
		c.at(field, fmt.Sprintf("%q is no kind of store", u.Scheme), "there are s3, gs, azblob and file")
	case u.User != nil:
		c.at(field, "holds a user or password", "credentials come from the environment, a file or the machine's role")
	case u.Scheme != "file" && u.Host == "":
		c.at(field, "names no bucket", fmt.Sprintf(`write for example "%s://bucket"`, u.Scheme))
	case u.Scheme != "file" && strings.Trim(u.Path, "/") != "":
		c.at(field, "names more than the bucket", fmt.Sprintf("write %q as the prefix", strings.TrimPrefix(u.Path, "/")))
	}
}

func (k *Objects) checkPrefix(c *checker, field, p string, all bool) {
	rest := strings.NewReplacer("{yyyy}", "", "{mm}", "", "{dd}", "", "{hh}", "").Replace(p)
	switch {
	case strings.ContainsAny(rest, "{}*"):
		c.at(field, fmt.Sprintf("%q holds what does not stand for a date", p), "of what may vary there are {yyyy}, {mm}, {dd} and {hh}; write several prefixes, or a match")
	case rest != p && !strings.Contains(p, "{yyyy}"):
		c.at(field, fmt.Sprintf("%q names parts of a date without its {yyyy}", p), "add {yyyy}, or leave the others out")
	case rest != p && all:
		c.at(field, fmt.Sprintf("%q holds a date, so that start: all has no beginning", p), `say from which day on: start: "2026-11-01"`)
	case strings.HasPrefix(p, "/"):
		c.at(field, fmt.Sprintf("%q begins with a slash, which keys do not", p), "leave it out")
	}
}
