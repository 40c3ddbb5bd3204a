package web

// Field is one thing that a line may tell.
type Field uint8

// The fields. Values are as the line has them, still escaped.
const (
	FieldNone      Field = iota
	FieldAddress         // of who connected, maybe with a port
	FieldForwarded       // X-Forwarded-For
	FieldUser            // whom the server itself authenticated
	FieldTimeLocal       // 02/Nov/2026:09:14:05 +0000
	FieldTimeISO         // RFC 3339, or another form that Times reads
	FieldMsec            // seconds since 1970, with a fraction
	FieldRequest         // the request line
	FieldMethod
	FieldURI  // path and query as the client sent them
	FieldPath // the path that the server made of it
	FieldArgs // the query
	FieldStatus
	FieldBodyBytes
	FieldBytes // with headers
	FieldUserAgent
	FieldServerName
	FieldActor   // what the settings call the user; before FieldUser
	FieldSession // what the settings call the session
	FieldCount
)

// Fields are the values of one line. The zero value is empty.
type Fields struct {
	value [FieldCount]string
	given uint32
}

// Reset empties it.
func (f *Fields) Reset() { *f = Fields{} }

// Set sets a field; FieldNone is dropped.
func (f *Fields) Set(k Field, v string) {
	if k != FieldNone && k < FieldCount {
		f.value[k] = v
		f.given |= 1 << k
	}
}

// Get returns a field's value, empty when it was not given.
func (f *Fields) Get(k Field) string { return f.value[k] }

// Has reports whether a field was given, an empty one too.
func (f *Fields) Has(k Field) bool { return f.given&(1<<k) != 0 }

// HasRequest reports whether there is something that names a request.
func (f *Fields) HasRequest() bool {
	return f.given&(1<<FieldRequest|1<<FieldURI|1<<FieldPath) != 0
}

// HasTime reports whether there is a time.
func (f *Fields) HasTime() bool {
	return f.given&(1<<FieldTimeLocal|1<<FieldTimeISO|1<<FieldMsec) != 0
}

// Fill takes from other what f lacks.
func (f *Fields) Fill(other *Fields) {
	for k := FieldNone + 1; k < FieldCount; k++ {
		if !f.Has(k) && other.Has(k) {
			f.Set(k, other.value[k])
		}
	}
}

// Quoted takes a quoted string, in which a backslash protects what follows, from the
// start of s.
func Quoted(s string) (value, rest string, ok bool) {
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

// Digits reports whether s is one digit or more and nothing else.
func Digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
