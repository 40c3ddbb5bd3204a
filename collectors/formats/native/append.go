package native

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"vigil"
)

// Append appends e to dst as one line without its line end, and returns the
// longer slice. What is empty, false or [vigil.Unknown] is left out; the origin is not
// written, because it belongs to the input that the event was read from. Bytes
// that are not UTF-8 become U+FFFD. The line decodes to the same event.
func Append(dst []byte, e *vigil.Event) []byte {
	dst = append(dst, `{"time":"`...)
	dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, '"')
	dst = appendText(dst, keyID, e.ID)
	if !e.Received.IsZero() {
		dst = append(dst, `,"received":"`...)
		dst = e.Received.UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	dst = appendText(dst, keySource, e.Source)
	dst = appendText(dst, keyActor, e.Actor.ID)
	dst = appendText(dst, keyActorKind, string(e.Actor.Kind))
	dst = appendText(dst, keyRole, e.Actor.Role)
	dst = appendText(dst, keyTeam, e.Actor.Team)
	dst = appendText(dst, keyTenant, e.Actor.Tenant)
	dst = appendText(dst, keyApp, e.Actor.App)
	dst = appendText(dst, keyPrincipal, e.Principal)
	dst = appendText(dst, keySession, e.Session)
	dst = appendText(dst, keyConversation, e.Conversation)
	dst = appendText(dst, keyAction, string(e.Action))
	dst = appendText(dst, keyStore, e.Store)
	dst = appendText(dst, keyResource, e.Resource)
	dst = appendText(dst, keyResourceClass, e.ResourceClass)
	dst = appendText(dst, keyResourceTenant, e.ResourceTenant)
	dst = appendList(dst, keySubjects, e.Subjects)
	dst = appendCount(dst, keySubjectCount, e.SubjectCount)
	dst = appendCount(dst, keyRows, e.Rows)
	dst = appendCount(dst, keyBytes, e.Bytes)
	dst = appendCount(dst, keyLimit, e.Limit)
	dst = appendList(dst, keyFields, e.Fields)
	dst = appendTrue(dst, keyUnbounded, e.Unbounded)
	dst = appendText(dst, keyTicket, e.Ticket)
	dst = appendText(dst, keyPurpose, e.Purpose)
	dst = appendText(dst, keyIP, e.IP)
	dst = appendText(dst, keyNetwork, e.Network)
	dst = appendText(dst, keyCountry, e.Country)
	dst = appendText(dst, keyASN, e.ASN)
	dst = appendText(dst, keyUserAgent, e.UserAgent)
	dst = appendText(dst, keyOutcome, string(e.Outcome))
	dst = appendText(dst, keyShape, e.Shape)
	dst = appendDestination(dst, e.Destination)
	dst = appendTrue(dst, keyLate, e.Late)
	if e.Step != vigil.StepUnknown {
		dst = strconv.AppendInt(appendKey(dst, keyStep), int64(e.Step), 10)
	}
	return append(dst, '}')
}

func appendKey(dst []byte, k key) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, keyNames[k]...)
	return append(dst, '"', ':')
}

func appendText(dst []byte, k key, s string) []byte {
	if s == "" {
		return dst
	}
	return appendString(appendKey(dst, k), s)
}

// appendString quotes s; plain ASCII, nearly all there is, is copied as it stands.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			dst, _ = jsontext.AppendQuote(dst, strings.ToValidUTF8(s, "\uFFFD"))
			return dst
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendCount(dst []byte, k key, n int64) []byte {
	if n == vigil.Unknown {
		return dst
	}
	return strconv.AppendInt(appendKey(dst, k), n, 10)
}

func appendTrue(dst []byte, k key, b bool) []byte {
	if !b {
		return dst
	}
	return append(appendKey(dst, k), "true"...)
}

func appendList(dst []byte, k key, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(appendKey(dst, k), '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

func appendDestination(dst []byte, to *vigil.Destination) []byte {
	if to == nil || *to == (vigil.Destination{}) {
		return dst
	}
	dst = append(appendKey(dst, keyDestination), '{')
	comma := false
	for _, part := range [...]struct{ name, value string }{
		{"kind", to.Kind}, {"network", to.Network}, {"region", to.Region},
	} {
		if part.value == "" {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = append(dst, '"')
		dst = append(dst, part.name...)
		dst = append(dst, '"', ':')
		dst = appendString(dst, part.value)
	}
	return append(dst, '}')
}
