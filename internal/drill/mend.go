package drill

import (
	"strings"

	"vigil"
)

// mendField says which setting brings a field, for the sources that lack it.
func mendField(f Field, sources []string) string {
	of := ""
	switch {
	case len(sources) == 1:
		of = " of source " + sources[0]
	case len(sources) > 1:
		of = " of sources " + strings.Join(sources[:min(3, len(sources))], ", ")
		if len(sources) > 3 {
			of += " and others"
		}
	}
	switch f {
	case FieldSubjects:
		return "mapping" + of + ": say which column, path or parameter names the customer (subject)"
	case FieldConversation:
		return "mapping" + of + ": say which column, path or parameter names the conversation"
	case FieldTenant:
		return "mapping" + of + ": say which column, path or parameter names the tenant"
	case FieldLimit:
		return "mapping" + of + ": say which parameter is the limit"
	case FieldSession:
		return "log the session" + of + ": %c in PostgreSQL's log_line_prefix, params.session for nginx, session in native events"
	case FieldNetwork:
		return "log the client's address" + of + ": %h or %r in PostgreSQL's log_line_prefix, params.address for nginx, ip in native events"
	case FieldCountry:
		return "send country with native events" + of + ", from a database of networks"
	case FieldSize:
		return "log how much is returned" + of + ": pgaudit.log_rows in PostgreSQL, $body_bytes_sent in nginx's log_format, rows in native events"
	case FieldFields:
		return "send fields with native events" + of + ", or log whole statements"
	case FieldOutcome:
		return "log what was refused too" + of + ", with its outcome"
	case FieldDestination:
		return "send exports, shares and webhooks with their destination, as native events"
	case FieldPurpose:
		return "send the purpose with native events" + of
	case FieldTeam:
		return "actors: name each one's team, or give a feed of kind person"
	case FieldKind:
		return "actors: name each one's kind, or give a feed of kind person"
	case FieldAdmin:
		return "take in the audit log of the help desk or database: grants, settings, sign-ins as somebody else"
	}
	return ""
}

// mendFeed says what a feed of a kind should tell.
func mendFeed(k vigil.FactKind) string {
	what := map[vigil.FactKind]string{
		vigil.FactPerson: "who is who, and who comes and goes", vigil.FactAssignment: "who answers for which conversation or ticket",
		vigil.FactShift: "who works, is on call or away", vigil.FactChange: "changes, incidents and deploys", vigil.FactConsent: "what customers allowed and took back",
		vigil.FactContract: "what vendors and bots may do", vigil.FactCustomer: "households, regions and tenants of customers",
		vigil.FactPurpose: "what people read for", vigil.FactHoney: "customers who do not exist",
	}[k]
	return "feeds: give one of kind " + string(k) + " (" + what + ")"
}
