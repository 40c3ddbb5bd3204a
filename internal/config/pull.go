package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// pull checks what all sources have in common that ask an API: its address, and how often
// and from when on it is asked. example is an address to show; without one the address may
// be left out.
func (c *checker) pull(field, address, example string, poll, overlap, start Duration) {
	if address == "" {
		if example != "" && !c.bad(field+".url") {
			c.at(field+".url", "is missing", fmt.Sprintf("write for example %q", example))
		}
	} else {
		c.api(field+".url", address, example)
	}
	const second, day = Duration(time.Second), Duration(24 * time.Hour)
	for _, d := range []struct {
		key         string
		is          Duration
		least, most Duration
		remedy      string
	}{
		{"poll", poll, 5 * second, day, "write for example 1m, or leave it out"},
		{"overlap", overlap, second, 7 * day, "write for example 10m, or leave it out"},
		{"start", start, second, 3650 * day, "write for example 7d, or leave it out"},
	} {
		if d.is != 0 && (d.is < d.least || d.is > d.most) {
			c.at(field+"."+d.key, fmt.Sprintf("%s is outside %s to %s", d.is, d.least, d.most), d.remedy)
		}
	}
}

// api checks the address of an API to which a token is sent.
func (c *checker) api(field, address, example string) {
	remedy := ""
	if example != "" {
		remedy = fmt.Sprintf("write for example %q", example)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		c.at(field, "is no https address", remedy)
	case u.User != nil:
		c.at(field, "holds a user or password", "give them by their own settings")
	case u.Scheme == "http" && !thisMachine(u.Hostname()):
		c.at(field, "must begin with https://, since a token is sent there", remedy)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		c.at(field, "has something behind the host", "give the scheme and the host alone, "+remedy)
	}
}

// needed checks a secret that must be there.
func (c *checker) needed(field string, s Secret, remedy string) {
	if value, ok := c.secret(field, s); ok && value == "" && !c.bad(field) {
		c.at(field, "is missing", remedy)
	}
}
