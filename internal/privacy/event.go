package privacy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"vigil"
)

// maxText bounds, in bytes, each free text that is kept: client applications,
// user agents, names of resources.
const maxText = 200

// Event replaces, in place, everything in e that names a person: actor,
// principal, subjects, session, conversation and ticket become pseudonyms, the
// event's id a hash, the address its network. Free text is cut to 200 bytes and
// cleaned of control characters; what looks like a mail address in it is masked.
//
// tenant is the source's own. It separates pseudonyms unless the event names its
// actor's tenant: then that one counts for the actor, and the resource's tenant
// for the subjects, so that an access across tenants names them as their own
// tenant does.
//
// Each event passes once: a pseudonym is an identifier like any other, and would
// be replaced again. There is on purpose no mark that a sender could forge to
// have an identifier kept as it stands.
func (p *Pseudonymizer) Event(e *vigil.Event, tenant string) {
	own, theirs := tenant, tenant
	if e.Actor.Tenant != "" {
		own, theirs = e.Actor.Tenant, e.Actor.Tenant
		if e.ResourceTenant != "" {
			theirs = e.ResourceTenant
		}
	}
	if e.Network == "" {
		e.Network = vigil.NetworkOf(e.IP)
	}
	e.IP = ""
	e.ID = p.eventID(e.Source, e.ID)
	e.Actor.ID = p.seen(p.Actor(own, e.Actor.ID), e.Actor.ID)
	e.Principal = p.seen(p.Subject(theirs, e.Principal), e.Principal)
	for i, id := range e.Subjects {
		e.Subjects[i] = p.seen(p.Subject(theirs, id), id)
	}
	e.Session = p.Session(own, e.Session)
	e.Conversation = p.Conversation(theirs, e.Conversation)
	e.Ticket = p.Ticket(theirs, e.Ticket)
	if !isWord(e.Purpose) {
		e.Purpose = p.name(kindPurpose, own, e.Purpose)
	}
	for _, text := range [...]*string{
		&e.Store, &e.Resource, &e.ResourceClass, &e.Shape, &e.UserAgent, &e.Network, &e.Country, &e.ASN,
		&e.Actor.App, &e.Actor.Role, &e.Actor.Team, &e.Actor.Tenant, &e.ResourceTenant,
	} {
		*text = Text(*text)
	}
	for i := range e.Fields {
		e.Fields[i] = Text(e.Fields[i])
	}
	if d := e.Destination; d != nil {
		network := vigil.NetworkOf(d.Network)
		if network == "" {
			network = Text(d.Network)
		}
		e.Destination = &vigil.Destination{Kind: Text(d.Kind), Network: network, Region: Text(d.Region)}
	}
}

// seen tells whose pseudonym it is, to who is to be told, and returns it.
func (p *Pseudonymizer) seen(name, id string) string {
	if p.saw != nil && id != "" {
		p.saw(name, id)
	}
	return name
}

// eventID hashes an id, which may be a provider's and name anything. It is not
// remembered: ids do not come twice.
func (p *Pseudonymizer) eventID(source, id string) string {
	if id == "" {
		return ""
	}
	return p.compute(kindEvent, source, id)
}

// Quarantined hides what the reason quotes of the record itself: between double
// quotes stands what somebody wrote, and it may name a person.
func (p *Pseudonymizer) Quarantined(q *vigil.Quarantined) {
	q.Reason = hideQuoted(Text(q.Reason))
}

// hideQuoted empties what stands between double quotes. A quote that is not
// closed hides the rest.
func hideQuoted(s string) string {
	if !strings.Contains(s, `"`) {
		return s
	}
	var b strings.Builder
	inside := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inside && c == '\\':
			i++ // an escaped character, maybe a quote
		case c == '"':
			if !inside {
				b.WriteString(`"…"`)
			}
			inside = !inside
		case !inside:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Text returns s cut to 200 bytes between characters, without control and
// formatting characters, invalid encoding replaced, and with mail addresses in it
// masked.
func Text(s string) string {
	if plain(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
	s = maskMail(s)
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// plain says that Text has nothing to do.
func plain(s string) bool {
	if len(s) > maxText {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '@' || c == '%' {
			return false
		}
	}
	return true
}

// maskMail replaces each word that holds an "@" (or its URL escape) with text on
// both sides. Words end at white space and at the punctuation of paths and lists.
func maskMail(s string) string {
	if !strings.Contains(s, "@") && !strings.Contains(s, "%40") {
		return s
	}
	isBreak := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("/,;()[]{}<>\"'=&?|:", r) }
	var b strings.Builder
	for len(s) > 0 {
		end := strings.IndexFunc(s, isBreak)
		if end < 0 {
			end = len(s)
		}
		word := s[:end]
		if at := max(strings.Index(word, "@"), strings.Index(word, "%40")); at > 0 && at < len(word)-1 {
			word = "{id}"
		}
		b.WriteString(word)
		s = s[end:]
		if s != "" {
			_, size := utf8.DecodeRuneInString(s)
			b.WriteString(s[:size])
			s = s[size:]
		}
	}
	return b.String()
}

// isWord reports whether s is a category ("quality-review") and no sentence,
// which may name people.
func isWord(s string) bool {
	if len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
