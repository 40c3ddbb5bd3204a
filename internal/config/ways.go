package config

import (
	"fmt"
	"strings"
)

// way is how a source's records come in: the part of its configuration that says so.
type way interface {
	// check tells what is wrong with it; field is its place in the file.
	check(c *checker, field string)
}

// ways lists the ways in that the source names, by their keys.
func (s *Source) ways() (names []string, given []way) {
	add := func(name string, is bool, w way) {
		if is {
			names, given = append(names, name), append(given, w)
		}
	}
	add("file", len(s.File) > 0, fileWay(s.File))
	add("push", s.Push != nil, nil) // its token is checked with those of the others
	add("otlp", s.OTLP != nil, nil) // as above
	add("syslog", s.Syslog != nil, s.Syslog)
	add("kafka", s.Kafka != nil, s.Kafka)
	add("nats", s.NATS != nil, s.NATS)
	add("objects", s.Objects != nil, s.Objects)
	add("sql", s.SQL != nil, s.SQL)
	add("redis", s.Redis != nil, s.Redis)
	add("zendesk", s.Zendesk != nil, s.Zendesk)
	add("salesforce", s.Salesforce != nil, s.Salesforce)
	add("intercom", s.Intercom != nil, s.Intercom)
	add("okta", s.Okta != nil, s.Okta)
	add("collector", s.Collector != "", nil)
	return names, given
}

// wayNames are the keys, as an error lists them.
const wayNames = "file, push, otlp, syslog, kafka, nats, objects, sql, redis, zendesk, salesforce, intercom, okta or collector"

// Way is the key of the way in that the source names, "" for none.
func (s *Source) Way() string {
	if names, _ := s.ways(); len(names) > 0 {
		return names[0]
	}
	return ""
}

// way checks that there is one way in, and what it says.
func (c *checker) way(field string, s *Source) {
	names, given := s.ways()
	switch {
	case len(names) > 1:
		c.at(field, "has both "+strings.Join(names, " and "), "make a source of each")
	case len(names) == 0 && !c.badWay(field):
		c.at(field, "has neither file nor push nor another way in",
			`name its files ("file: /var/log/x/*.log"), a push token, or one of `+wayNames)
	}
	for i, w := range given {
		if w != nil {
			w.check(c, field+"."+names[i])
		}
	}
}

// badWay reports whether a way in is there that could not be read.
func (c *checker) badWay(field string) bool {
	for name := range strings.FieldsFuncSeq(wayNames, func(r rune) bool { return r == ',' || r == ' ' }) {
		if c.bad(field + "." + name) {
			return true
		}
	}
	return false
}

// fileWay are a source's globs.
type fileWay []string

func (w fileWay) check(c *checker, field string) {
	for i, glob := range w {
		at := fmt.Sprintf("%s[%d]", field, i)
		if !isGlob(glob) {
			c.at(at, fmt.Sprintf("%q is no file pattern", glob), `write for example "/var/log/postgresql/*.log"`)
		}
	}
}
