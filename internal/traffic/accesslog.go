package traffic

import (
	"net/url"
	"strconv"

	"vigil"
)

// NginxSession is the variable that holds the session in what is written as
// Nginx: the format's parameter "session".
const NginxSession = "http_x_session"

// maxInURL bounds the customers that a request names: more than that are sent in
// its body, which no access log shows.
const maxInURL = 400

// status is the answer's code.
func status(e *vigil.Event) string {
	switch {
	case e.Outcome == vigil.OutcomeDenied && e.Action == vigil.ActionLogin:
		return "401"
	case e.Outcome == vigil.OutcomeDenied:
		return "403"
	case e.Outcome == vigil.OutcomeError && e.Purpose == "shared-link":
		return "410"
	case e.Outcome == vigil.OutcomeError:
		return "503"
	case e.Action == vigil.ActionWrite:
		return "201"
	}
	return "200"
}

// appendRequest writes the request line.
func appendRequest(b []byte, e *vigil.Event) []byte {
	method := "GET"
	switch e.Action {
	case vigil.ActionRead, vigil.ActionSearch, vigil.ActionExport:
	case vigil.ActionDelete:
		method = "DELETE"
	default:
		method = "POST"
	}
	b = append(b, method...)
	b = append(b, ' ')
	switch e.Action {
	case vigil.ActionLogin, vigil.ActionLogout:
		b = append(b, '/')
		b = append(b, e.Action...)
		return append(b, " HTTP/2.0"...)
	}
	tenant := e.ResourceTenant
	if tenant == "" {
		tenant = "-"
	}
	b = append(b, "/api/"...)
	b = append(b, url.PathEscape(tenant)...)
	b = append(b, '/')
	b = append(b, url.PathEscape(e.Resource)...)
	if !plainAction(e.Action) {
		b = append(b, '/')
		b = append(b, e.Action...)
	}
	sep := byte('?')
	param := func(name, value string) {
		b = append(b, sep)
		sep = '&'
		b = append(b, name...)
		b = append(b, '=')
		b = append(b, url.QueryEscape(value)...)
	}
	if n := len(e.Subjects); n > 0 && n <= maxInURL {
		param(columnSubject, e.Subjects[0])
		for _, s := range e.Subjects[1:] {
			b = append(b, ',')
			b = append(b, url.QueryEscape(s)...)
		}
	}
	if e.Conversation != "" {
		param(columnConversation, e.Conversation)
	}
	if e.Ticket != "" {
		param(paramTicket, e.Ticket)
	}
	if e.Limit != vigil.Unknown {
		param(paramLimit, strconv.FormatInt(e.Limit, 10))
	}
	// The spelling of the call, as far as it shows: which of its options are set.
	if n := spelling(e.Shape); n > 0 {
		param("o"+string(rune('a'+n%26))+string(rune('a'+n/26%26)), "1")
	}
	return append(b, " HTTP/2.0"...)
}

// spelling is a number below 676 that tells shapes apart; 0 for none.
func spelling(shape string) int {
	if shape == "" {
		return 0
	}
	hash := uint32(2166136261)
	for i := range len(shape) {
		hash = (hash ^ uint32(shape[i])) * 16777619
	}
	return int(hash % 676)
}

// appendBytes writes the size of the answer, "-" where it is not known.
func appendBytes(b []byte, e *vigil.Event) []byte {
	if e.Bytes == vigil.Unknown {
		return append(b, '-')
	}
	return strconv.AppendInt(b, e.Bytes, 10)
}

// appendAccessJSON writes a line of a JSON log_format with escape=json.
func appendAccessJSON(b []byte, e *vigil.Event) []byte {
	b = append(b, `{"msec":"`...)
	ms := e.Time.UnixMilli()
	b = strconv.AppendInt(b, ms/1000, 10)
	b = append(b, '.')
	b = append(b, byte('0'+ms/100%10), byte('0'+ms/10%10), byte('0'+ms%10))
	b = append(b, `","remote_addr":`...)
	b = appendString(b, e.IP)
	b = append(b, `,"remote_user":`...)
	b = appendString(b, e.Actor.ID)
	b = append(b, `,"request":"`...)
	b = appendRequest(b, e) // all of it is escaped for an address
	b = append(b, `","status":`...)
	b = append(b, status(e)...)
	b = append(b, `,"body_bytes_sent":"`...)
	b = appendBytes(b, e)
	b = append(b, `","http_user_agent":`...)
	b = appendString(b, e.UserAgent)
	b = append(b, `,"`+NginxSession+`":`...)
	b = appendString(b, e.Session)
	return append(b, '}', '\n')
}

// appendCombined writes a line of the combined format.
func appendCombined(b []byte, e *vigil.Event) []byte {
	b = appendEscaped(b, e.IP)
	b = append(b, " - "...)
	b = appendEscaped(b, e.Actor.ID)
	b = append(b, " ["...)
	b = e.Time.UTC().AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = appendRequest(b, e)
	b = append(b, `" `...)
	b = append(b, status(e)...)
	b = append(b, ' ')
	b = appendBytes(b, e)
	b = append(b, ` "-" "`...)
	b = appendEscaped(b, e.UserAgent)
	return append(b, '"', '\n')
}

// appendEscaped writes a variable as nginx does by default: "-" for an empty one,
// \xNN for quotes, backslashes and what is not printable ASCII.
func appendEscaped(b []byte, s string) []byte {
	if s == "" {
		return append(b, '-')
	}
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}
