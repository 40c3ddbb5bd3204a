// Package haproxy reads HAProxy's HTTP and HTTPS log formats (option httplog, httpslog),
// as they come from syslog or stand alone. Connections of its TCP log format name
// nothing that was accessed and yield nothing; nor do the lines in which it tells of
// servers and of itself. What a request becomes is said in package web.
//
// The time has no zone: it is that of the syslog line, where that has one, else of the
// parameter timezone. Captured headers come without their names, in the order of the
// configuration: parameters say by position what they hold.
package haproxy

import (
	"fmt"
	"strconv"
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// The parameters that this format has of its own.
const (
	paramUserAgent = "user_agent"
	paramForwarded = "forwarded"
)

// How sure the format is of a request's line, of a connection's, and of what HAProxy
// tells of itself.
const (
	sure   = 0.97
	tcp    = 0.8
	ownLog = 0.5
)

// Format returns the format.
func Format() formats.Format {
	params := web.Params()
	params[paramUserAgent] = "which captured request header is the user agent, from 1"
	params[paramForwarded] = "which captured request header is X-Forwarded-For, from 1"
	return record.New(record.Spec{
		Name: "haproxy",
		Tells: formats.Tells{
			Title: "HAProxy", Group: formats.GroupWeb, Actor: formats.Partly, Subjects: formats.Partly,
			Rows: formats.No, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Who it was is told where a captured request header names the user.",
		},
		Text: func(line []byte) float64 {
			var l entry
			return l.read(string(line))
		},
		Params: params,
		New:    newReader,
	})
}

type reader struct {
	web *web.Interpreter
	// captures say which captured header each field is.
	captures map[web.Field]int
	zoned    bool
	fields   web.Fields
}

func newReader(opts formats.Options) (record.Reader, error) {
	r := &reader{captures: map[web.Field]int{}}
	var err error
	if r.web, err = web.New(opts); err != nil {
		return nil, err
	}
	r.web.Times.Layout = "02/Jan/2006:15:04:05.999999999"
	r.zoned = opts.Params[web.ParamTimezone] != ""
	for name, field := range map[string]web.Field{
		web.ParamActor: web.FieldActor, web.ParamSession: web.FieldSession, web.ParamAddress: web.FieldAddress,
		paramUserAgent: web.FieldUserAgent, paramForwarded: web.FieldForwarded,
	} {
		value, given := opts.Params[name]
		if !given {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxCaptures {
			return nil, fmt.Errorf("parameter %s: %q is no position of a captured request header from 1 to %d", name, value, maxCaptures)
		}
		r.captures[field] = n
	}
	return r, nil
}

// Read reads a line.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	var l entry
	if l.read(string(rec.Text)) != sure {
		return nil
	}
	f := &r.fields
	f.Reset()
	f.Set(web.FieldTimeISO, l.time)
	f.Set(web.FieldAddress, withoutPort(l.client))
	f.Set(web.FieldRequest, l.request)
	f.Set(web.FieldStatus, l.status)
	f.Set(web.FieldBytes, l.bytes)
	for field, n := range r.captures {
		if n <= len(l.captures) && l.captures[n-1] != "" {
			f.Set(field, l.captures[n-1])
		}
	}
	if !r.zoned {
		r.web.Times.In(rec.Carrier.Time.Location())
	}
	e := rec.Event()
	if err := r.web.Fill(e, f); err != nil {
		return err
	}
	emit(e)
	return nil
}

// withoutPort takes the port off: HAProxy writes IPv6 addresses without brackets.
func withoutPort(s string) string {
	i := strings.LastIndexByte(s, ':')
	if i > 0 && web.IsAddress(s[:i]) {
		return s[:i]
	}
	return web.WithoutPort(s)
}

// maxCaptures bounds the captured headers that are looked at.
const maxCaptures = 64

// entry is one line, taken apart.
type entry struct {
	client, time, status, bytes, request string
	captures                             []string
}

// read takes a line apart and says how sure it is of it.
func (l *entry) read(s string) float64 {
	if isOwnLog(s) {
		return ownLog
	}
	client, rest, _ := strings.Cut(s, " [")
	at, rest, found := strings.Cut(rest, "] ")
	if !found || strings.ContainsAny(client, " \"{") || len(at) != len("02/Jan/2006:15:04:05.000") || at[2] != '/' || at[20] != '.' {
		return 0
	}
	l.client, l.time = client, at
	var word [10]string
	for i := range word {
		word[i], rest, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
		if i == 0 && strings.HasSuffix(word[0], ":") {
			return tcp // an error of a connection: "frontend: SSL handshake failure"
		}
	}
	// frontend, backend/server, timers, status, bytes, two cookies, state, connections, queues
	timers := strings.Count(word[2], "/")
	switch {
	case !strings.Contains(word[1], "/"):
		return 0
	case timers == 2 && word[4] != "" && len(word[4]) == 2:
		return tcp
	case timers != 4 || len(word[7]) != 4 || strings.Count(word[8], "/") != 4 || strings.Count(word[9], "/") != 1:
		return 0
	}
	// With option logasap numbers that still grow have a plus in front; -1 is no status.
	l.status, l.bytes = word[3], strings.TrimPrefix(word[4], "+")
	if l.status == "-1" {
		l.status = "0"
	}
	for n := 0; strings.HasPrefix(rest, "{"); n++ {
		held, after, ok := strings.Cut(rest[1:], "}")
		if !ok {
			return 0
		}
		if n == 0 {
			l.captures = strings.SplitN(held, "|", maxCaptures)
		}
		rest = strings.TrimPrefix(after, " ")
	}
	request, found := strings.CutPrefix(rest, `"`)
	if !found {
		return 0
	}
	// One that is too long is cut, and its end quote with it.
	l.request, _, _ = strings.Cut(request, `"`)
	return sure
}

// isOwnLog tells what HAProxy says of itself and of servers.
func isOwnLog(s string) bool {
	first, rest, _ := strings.Cut(s, " ")
	switch first {
	case "Proxy":
		return strings.Contains(rest, " start") || strings.Contains(rest, " stop")
	case "Server", "Backup":
		return strings.Contains(rest, " is UP") || strings.Contains(rest, " is DOWN") || strings.Contains(rest, " is going ") || strings.Contains(rest, " enters ") || strings.Contains(rest, " is stopping")
	case "Health":
		return strings.HasPrefix(rest, "check for ")
	case "backend":
		return strings.Contains(rest, "has no server available")
	case "[NOTICE]", "[WARNING]", "[ALERT]":
		return true
	}
	return false
}
