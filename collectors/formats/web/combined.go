package web

import "strings"

// Combined reads the combined form and its kin: whatever stands before the time in
// brackets, the request in quotes, status and size, and the quoted referrer and agent,
// and tells whether the line is of it. It reads common, virtual host and ingress forms
// alike. rest is what follows the agent.
func (f *Fields) Combined(s string) (rest string, ok bool) {
	open := clock(s)
	if open < 0 {
		return "", false
	}
	f.Set(FieldTimeLocal, s[open:open+26])
	f.before(strings.TrimSpace(s[:open-1]))
	rest = strings.TrimLeft(s[open+27:], " ")
	request, rest, ok := Quoted(rest)
	if !ok {
		return "", false
	}
	f.Set(FieldRequest, request)
	status, rest, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if (len(status) != 3 || !Digits(status)) && status != "-" {
		return "", false
	}
	f.Set(FieldStatus, status)
	bytes, rest, _ := strings.Cut(rest, " ")
	if !Digits(bytes) && bytes != "-" && bytes != "" {
		return "", false
	}
	f.Set(FieldBodyBytes, bytes)
	for n := 0; ; n++ {
		t := strings.TrimLeft(rest, " ")
		v, after, ok := Quoted(t)
		if !ok {
			// A header that was not sent is - without quotes in some logs.
			if n < 2 && len(t) > 1 && t[0] == '-' && t[1] == ' ' {
				rest = t[2:]
				continue
			}
			return t, true
		}
		rest = after
		switch n {
		case 1:
			f.Set(FieldUserAgent, v)
		case 2:
			// nginx's stock "main" format ends with $http_x_forwarded_for.
			if !f.Has(FieldForwarded) && IsAddress(firstOf(v)) {
				f.Set(FieldForwarded, v)
			}
		}
	}
}

// clock finds the time of the form [02/Nov/2026:09:14:05 +0000], where it starts; -1 for
// none.
func clock(s string) int {
	for i := 0; ; {
		j := strings.IndexByte(s[i:], '[')
		if j < 0 {
			return -1
		}
		i += j + 1
		if len(s) >= i+27 && s[i+2] == '/' && s[i+6] == '/' && s[i+11] == ':' && s[i+26] == ']' {
			return i
		}
	}
}

// before reads what stands before the time: addresses, a virtual host in front of
// them perhaps, and the user.
func (f *Fields) before(s string) {
	left, user := s, ""
	if i := strings.Index(s, " - "); i >= 0 {
		left, user = s[:i], s[i+3:]
	} else if i := identity(s); i >= 0 {
		left, user = s[:i], s[i+1:]
		_, user, _ = strings.Cut(user, " ")
	} else {
		left = strings.TrimSuffix(left, " -")
	}
	f.Set(FieldUser, strings.TrimSpace(user))
	if list, rest, ok := Quoted(left); ok {
		f.Set(FieldForwarded, list)
		left = strings.TrimSpace(rest)
	}
	// The last word is the address, unless a comma shows that it ends a list.
	at := strings.LastIndexByte(left, ' ')
	if at < 0 {
		if left != "" {
			f.Set(FieldAddress, left)
		}
		return
	}
	f.Set(FieldAddress, left[at+1:])
	words := strings.Fields(left)
	last := len(words) - 1
	if last == 0 {
		return
	}
	if strings.HasSuffix(words[last-1], ",") {
		f.Set(FieldForwarded, left)
		return
	}
	switch {
	case strings.Contains(words[0], ","):
		f.Set(FieldForwarded, strings.Join(words[:last], " "))
	case IsAddress(words[0]):
		f.Set(FieldForwarded, words[0])
	default:
		// The virtual host, mostly what the client asked for: it must not name a store.
		f.host = true
	}
}

// identity finds the end of the address where the second word is what identd told
// (RFC 1413) rather than -; else it is -1.
func identity(s string) int {
	words := strings.Fields(s)
	if len(words) < 3 || !IsAddress(words[0]) || IsAddress(words[1]) || words[len(words)-1] == "-" && len(words) != 3 {
		return -1
	}
	return strings.IndexByte(s, ' ')
}
