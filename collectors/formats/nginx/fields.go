package nginx

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"vigil/collectors/formats"
)

// field is one thing that a line may tell.
type field uint8

const (
	fieldNone field = iota
	fieldAddress
	fieldForwarded
	fieldUser
	fieldTimeLocal
	fieldTimeISO
	fieldMsec
	fieldRequest
	fieldMethod
	fieldURI
	fieldPath
	fieldArgs
	fieldStatus
	fieldBodyBytes
	fieldBytes
	fieldUserAgent
	fieldServerName
	fieldActor
	fieldSession
	fieldCount
)

// variables are nginx's names for what is read; every other is skipped.
var variables = map[string]field{
	"remote_addr": fieldAddress, "realip_remote_addr": fieldNone, "http_x_forwarded_for": fieldForwarded,
	"proxy_add_x_forwarded_for": fieldForwarded, "remote_user": fieldUser, "time_local": fieldTimeLocal,
	"time_iso8601": fieldTimeISO, "msec": fieldMsec, "request": fieldRequest, "request_method": fieldMethod,
	"request_uri": fieldURI, "uri": fieldPath, "document_uri": fieldPath, "args": fieldArgs, "query_string": fieldArgs, "status": fieldStatus,
	"body_bytes_sent": fieldBodyBytes, "bytes_sent": fieldBytes, "http_user_agent": fieldUserAgent,
	"server_name": fieldServerName,
}

// jsonKeys are the names that JSON logs use beside nginx's own.
var jsonKeys = map[string]field{
	"remote_ip": fieldAddress, "client_ip": fieldAddress, "clientip": fieldAddress, "client": fieldAddress,
	"ip": fieldAddress, "remote_address": fieldAddress, "source_ip": fieldAddress,
	"x_forwarded_for": fieldForwarded, "x-forwarded-for": fieldForwarded, "xff": fieldForwarded, "forwarded_for": fieldForwarded,
	"user": fieldUser, "user_name": fieldUser, "auth_user": fieldUser,
	"@timestamp": fieldTimeISO, "timestamp": fieldTimeISO, "time": fieldTimeISO, "datetime": fieldTimeISO, "date": fieldTimeISO, "ts": fieldTimeISO,
	"method": fieldMethod, "verb": fieldMethod, "http_method": fieldMethod,
	"path": fieldURI, "url": fieldURI, "request_path": fieldURI, "query": fieldArgs,
	"status_code": fieldStatus, "code": fieldStatus, "response": fieldStatus, "response_code": fieldStatus, "response_status": fieldStatus,
	"bytes": fieldBodyBytes, "size": fieldBodyBytes, "body_bytes": fieldBodyBytes, "response_size": fieldBodyBytes, "response_bytes": fieldBodyBytes,
	"user_agent": fieldUserAgent, "agent": fieldUserAgent, "useragent": fieldUserAgent, "http_agent": fieldUserAgent,
}

// chosen are the variables that the configuration picks for a meaning.
type chosen struct{ actor, session, address string }

// of tells what a variable means. A variable may mean two things, a user's
// header its actor and nothing else, so the chosen ones come first.
func (c *chosen) of(name string) field {
	switch name {
	case "":
		return fieldNone
	case c.actor:
		return fieldActor
	case c.session:
		return fieldSession
	case c.address:
		return fieldAddress
	}
	f := variables[name]
	if f == fieldAddress && c.address != "" {
		return fieldNone
	}
	return f
}

// fields are the values of one line, still escaped.
type fields struct {
	names chosen
	value [fieldCount]string
	given [fieldCount]bool
}

func (f *fields) reset() { *f = fields{names: f.names} }

func (f *fields) set(k field, v string) {
	if k != fieldNone {
		f.value[k], f.given[k] = v, true
	}
}

// setVariable sets what the variable of that name means.
func (f *fields) setVariable(name, v string) { f.set(f.names.of(name), v) }

func (f *fields) has(k field) bool { return f.given[k] }

func (f *fields) request() bool {
	return f.has(fieldRequest) || f.has(fieldURI) || f.has(fieldPath)
}

func (f *fields) hasTime() bool {
	return f.has(fieldTimeLocal) || f.has(fieldTimeISO) || f.has(fieldMsec)
}

// anchored reads the combined form and its kin: whatever stands before the
// time in brackets, the request in quotes, status and size, and the quoted
// referrer and agent. It reads common, virtual host and ingress forms alike.
func (f *fields) anchored(s string) error {
	var open int
	for i := 0; ; {
		j := strings.IndexByte(s[i:], '[')
		if j < 0 {
			return errForm
		}
		i += j + 1
		// [02/Nov/2026:09:14:05 +0000]
		if len(s) >= i+27 && s[i+2] == '/' && s[i+6] == '/' && s[i+11] == ':' && s[i+26] == ']' {
			open = i
			break
		}
	}
	f.set(fieldTimeLocal, s[open:open+26])
	f.before(strings.TrimSpace(s[:open-1]))
	rest := strings.TrimLeft(s[open+27:], " ")
	request, rest, ok := quoted(rest)
	if !ok {
		return errForm
	}
	f.set(fieldRequest, request)
	status, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if len(status) != 3 || !digits(status) {
		return errForm
	}
	f.set(fieldStatus, status)
	bytes, rest, _ := strings.Cut(rest, " ")
	if !digits(bytes) && bytes != "-" && bytes != "" {
		return errForm
	}
	f.set(fieldBodyBytes, bytes)
	for n := 0; ; n++ {
		var v string
		if v, rest, ok = quoted(strings.TrimLeft(rest, " ")); !ok {
			return nil
		}
		switch n {
		case 1:
			f.set(fieldUserAgent, v)
		case 2:
			// The stock "main" format ends with $http_x_forwarded_for.
			if isAddress(firstOf(v)) && !f.has(fieldForwarded) {
				f.set(fieldForwarded, v)
			}
		}
	}
}

// before reads what stands before the time: addresses, a virtual host in front of
// them perhaps, and the user.
func (f *fields) before(s string) {
	left, user := s, ""
	if i := strings.Index(s, " - "); i >= 0 {
		left, user = s[:i], s[i+3:]
	} else {
		left = strings.TrimSuffix(left, " -")
	}
	f.set(fieldUser, strings.TrimSpace(user))
	if list, rest, ok := quoted(left); ok {
		f.set(fieldForwarded, list)
		left = strings.TrimSpace(rest)
	}
	// The last word is $remote_addr, unless a comma shows that it ends a list.
	words := strings.Fields(left)
	if len(words) == 0 {
		return
	}
	last := len(words) - 1
	f.set(fieldAddress, words[last])
	if last == 0 {
		return
	}
	if strings.HasSuffix(words[last-1], ",") {
		f.set(fieldForwarded, left)
		return
	}
	if strings.Contains(words[0], ",") {
		f.set(fieldForwarded, strings.Join(words[:last], " "))
	} else if isAddress(words[0]) {
		f.set(fieldForwarded, words[0])
	}
	// Anything else is the virtual host, mostly $host, which the client chooses:
	// it must not name a store.
}

// quoted takes a quoted string from the start of s.
func quoted(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[1:i], s[i+1:], true
		}
	}
	return "", s, false
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

// clientAddress picks the client's address. When the connection came from a
// private address, a proxy's, it is the last public address of X-Forwarded-For
// before the operator's own proxies: all before that one is the client's to invent.
func clientAddress(f *fields, proxies int) string {
	addr := f.value[fieldAddress]
	if strings.HasPrefix(addr, "unix:") {
		addr = "local"
	}
	if i := strings.LastIndexByte(addr, ','); i >= 0 {
		f.set(fieldForwarded, addr)
		addr = strings.TrimSpace(addr[i+1:])
	}
	list := f.value[fieldForwarded]
	if list == "" || list == "-" || public(addr) {
		return addr
	}
	all := strings.Split(list, ",")
	if len(all) > 64 {
		all = all[len(all)-64:]
	}
	for i := len(all) - 1; i >= 0; i-- {
		if a := strings.TrimSpace(all[i]); public(a) {
			if proxies == 0 {
				return a
			}
			proxies--
		}
	}
	if first := strings.TrimSpace(all[0]); isAddress(first) {
		return first
	}
	return addr
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func public(s string) bool {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

// unescape turns nginx's \xNN, and \" and \\, into characters. What would be a control
// character or no UTF-8 stays as it stands, so that nothing is lost and nothing
// can pose as a line end.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return escapeInvalid(s)
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if s[i+1] == '"' || s[i+1] == '\\' {
				i++
				b = append(b, s[i])
				continue
			}
			if c, ok := hexEscape(s[i:]); ok && c >= ' ' && c != 0x7f {
				b = append(b, c)
				i += 3
				continue
			}
		}
		b = append(b, s[i])
	}
	return escapeInvalid(string(b))
}

// hexEscape reads \xNN.
func hexEscape(s string) (byte, bool) {
	if len(s) < 4 || s[1] != 'x' {
		return 0, false
	}
	hi, lo := nibble(s[2]), nibble(s[3])
	return hi<<4 | lo, hi < 16 && lo < 16
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// escapeInvalid writes control characters and bytes that are no UTF-8 as nginx
// would.
func escapeInvalid(s string) string {
	if printable(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' || r == 0x7f {
			b.WriteString(`\x`)
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// errField is a value that a log_format promises and a line does not have.
func errField(name string) error {
	return formats.Errorf("format", "the line ends or differs where $%s should stand: compare the log_format with nginx's configuration", name)
}
