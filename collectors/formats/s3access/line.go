package s3access

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats"
)

// line is what one request's line says; "-" is empty.
type line struct {
	bucket, time, ip, requester, requestID, operation, key, uri, status, code string
	bytes, agent, auth, host                                                  string
}

// absent stands for a number that the record does not have: "-" is zero.
const absent = "absent"

// parse takes a line apart. The order is that of the documentation ("Amazon S3 server
// access log format"); what comes behind the host header is not needed.
func parse(s string) (l line, ok bool) {
	rest := s
	next := func() string {
		var f string
		f, rest, ok = strings.Cut(rest, " ")
		if f == "-" {
			return ""
		}
		return f
	}
	if next(); !ok { // the bucket's owner
		return l, false
	}
	l.bucket = next()
	if !strings.HasPrefix(rest, "[") {
		return l, false
	}
	if l.time, rest, ok = strings.Cut(rest[1:], "] "); !ok {
		return l, false
	}
	for _, f := range []*string{&l.ip, &l.requester, &l.requestID, &l.operation, &l.key} {
		if *f = next(); !ok {
			return l, false
		}
	}
	quoted := func() string {
		if !strings.HasPrefix(rest, `"`) {
			return next()
		}
		var f string
		f, rest, ok = strings.Cut(rest[1:], `" `)
		if f == "-" {
			return ""
		}
		return f
	}
	l.uri = quoted()
	if !ok {
		return l, false
	}
	var skip string
	for i, f := range []*string{&l.status, &l.code, &l.bytes, &skip, &skip, &skip} {
		if *f = next(); !ok && i < 3 {
			return l, false
		}
	}
	if l.bytes == "" {
		l.bytes = "0"
	}
	if !ok {
		return l, true
	}
	quoted() // the referrer
	if !ok {
		return l, true
	}
	// The agent may hold quotes: it ends where only plain fields follow.
	if strings.HasPrefix(rest, `"`) {
		end := strings.LastIndex(rest, `" `)
		if end <= 0 {
			end = len(strings.TrimSuffix(rest, `"`))
		}
		if l.agent = rest[1:max(1, end)]; l.agent == "-" {
			l.agent = ""
		}
		rest = strings.TrimPrefix(rest[min(end+1, len(rest)):], " ")
	} else {
		next()
	}
	for _, f := range []*string{&skip, &skip, &skip, &skip, &l.auth, &l.host} { // version, host id, signature, cipher
		if *f = next(); !ok {
			break
		}
	}
	ok = true
	return l, true
}

// plausible says that the fields hold what they must in such a line and in no other.
func (l *line) plausible() bool {
	if l.bucket == "" || len(l.time) != 26 || l.time[2] != '/' || strings.Count(l.operation, ".") < 1 || l.operation != strings.ToUpper(l.operation) {
		return false
	}
	return (l.ip == "" || formats.Address(l.ip) != "") && len(l.requestID) >= 8 && len(l.requestID) <= 64
}

// columns are the names that tables give the fields: those of the documentation's
// example for Athena, and others in use.
var columns = map[string]func(*line) *string{
	"bucket":             func(l *line) *string { return &l.bucket },
	"bucket_name":        func(l *line) *string { return &l.bucket },
	"time":               func(l *line) *string { return &l.time },
	"requestdatetime":    func(l *line) *string { return &l.time },
	"remoteip":           func(l *line) *string { return &l.ip },
	"requester":          func(l *line) *string { return &l.requester },
	"requestid":          func(l *line) *string { return &l.requestID },
	"operation":          func(l *line) *string { return &l.operation },
	"key":                func(l *line) *string { return &l.key },
	"requesturi":         func(l *line) *string { return &l.uri },
	"request_uri":        func(l *line) *string { return &l.uri },
	"httpstatus":         func(l *line) *string { return &l.status },
	"errorcode":          func(l *line) *string { return &l.code },
	"bytessent":          func(l *line) *string { return &l.bytes },
	"useragent":          func(l *line) *string { return &l.agent },
	"authenticationtype": func(l *line) *string { return &l.auth },
	"authtype":           func(l *line) *string { return &l.auth },
	"hostheader":         func(l *line) *string { return &l.host },
	"endpoint":           func(l *line) *string { return &l.host },
}

func fromJSON(v gjson.Result) (l line) {
	l.bytes = absent
	v.ForEach(func(key, value gjson.Result) bool {
		if f, ok := columns[key.Str]; ok && (value.Type == gjson.String || value.Type == gjson.Number) {
			if s := strings.Trim(value.String(), `"`); s != "-" {
				*f(&l) = s
			} else if key.Str == "bytessent" {
				l.bytes = "0"
			}
		}
		return true
	})
	return l
}
