package zendesk

import (
	"net/url"
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// customers and talks are the collections whose members' numbers name customers and
// conversations.
var (
	customers = map[string]bool{"users": true, "end_users": true, "contacts": true}
	talks     = map[string]bool{"tickets": true, "requests": true, "chats": true, "conversations": true, "suspended_tickets": true, "deleted_tickets": true, "messaging": true}
)

// access reads an entry of the access log.
func access(r *record.Record, e *vigil.Event, emit func(*vigil.Event)) error {
	who(e, r.Get("user_id"), "")
	e.UserAgent = r.Get("client", "user_agent")
	e.Actor.App = r.Get("origin_service")
	e.Bytes = r.Int("bytes_sent")
	if status := r.Int("status"); status != vigil.Unknown {
		e.Outcome = formats.OutcomeOfStatus(status)
	}
	switch auth := strings.ToLower(r.Get("authorization_type")); auth {
	case "basic", "bearer", "oauth", "api_token", "token":
		e.Actor.App = auth // a script or an app rather than the agent's page
	}
	method := strings.ToUpper(r.Get("method"))
	if g := r.JSON.Get("graphql"); g.IsObject() || g.Str != "" {
		graphQL(r, e)
	} else {
		address(r, e, method)
	}
	emit(e)
	return nil
}

// graphQL reads a query of the agent's page: its operation; variables that hold a
// ticket or a user name whose it was.
func graphQL(r *record.Record, e *vigil.Event) {
	name := r.Get("graphql.operation_name", "graphql.operationName", "graphql.name")
	kind := strings.ToLower(r.Get("graphql.operation_type", "graphql.type"))
	q := r.JSON.Get("graphql.query").Str
	if q == "" {
		q = r.JSON.Get("graphql").Str
	}
	if q != "" && (name == "" || kind == "") {
		words := strings.FieldsFunc(q[:min(len(q), 200)], func(c rune) bool { return strings.ContainsRune(" \t\n({", c) })
		if len(words) > 0 && kind == "" {
			kind = strings.ToLower(words[0])
		}
		if len(words) > 1 && name == "" {
			name = formats.Clean(words[1], 80)
		}
	}
	e.Action = vigil.ActionRead
	switch {
	case kind == "mutation":
		e.Action = vigil.ActionWrite
	case strings.Contains(strings.ToLower(name), "search"):
		e.Action = vigil.ActionSearch
	}
	e.Resource = "graphql"
	if name != "" {
		e.Shape = strings.TrimSpace(kind + " " + name)
	}
	for _, key := range []string{"ticketId", "ticket_id", "conversationId"} {
		if id := r.Get("graphql.variables." + key); id != "" && e.Conversation == "" {
			e.Conversation, e.Resource = id, "tickets"
		}
	}
	for _, key := range []string{"userId", "user_id", "requesterId", "customerId"} {
		if id := r.Get("graphql.variables." + key); id != "" && len(e.Subjects) == 0 {
			e.Subjects, e.SubjectCount = []string{id}, 1
		}
	}
}

// address reads the path and the query: /api/v2/tickets/35/comments.json?page=2.
func address(r *record.Record, e *vigil.Event, method string) {
	target := r.Get("url")
	if u, err := url.Parse(target); err == nil && u.Path != "" {
		target = u.Path
		query := u.Query()
		for _, key := range []string{"per_page", "page[size]", "limit"} {
			if n := formats.Count(query.Get(key)); n != vigil.Unknown {
				e.Limit = n
			}
		}
		for id := range strings.SplitSeq(query.Get("ids"), ",") {
			if id != "" && strings.Contains(target, "/users") && len(e.Subjects) < vigil.MaxSubjects {
				e.Subjects = append(e.Subjects, formats.Clean(id, 64))
			}
		}
	} else {
		target, _, _ = strings.Cut(target, "?")
	}
	var shape []string
	collection, search, export := "", false, false
	segments := strings.Split(strings.Trim(target, "/"), "/")
	for i, seg := range segments[:min(len(segments), 24)] {
		seg = strings.TrimSuffix(seg, ".json")
		switch {
		case seg == "" || i < 2 && (seg == "api" || seg == "v2" || seg == "v1" || seg == "services" || seg == "agent" || seg == "lotus"):
			continue
		case isID(seg):
			switch {
			case talks[collection] && e.Conversation == "":
				e.Conversation = formats.Clean(seg, 64)
			case customers[collection]:
				e.Subjects = append(e.Subjects, formats.Clean(seg, 64))
			}
			shape = append(shape, "{id}")
			continue
		case strings.Contains(seg, "search") || seg == "autocomplete":
			search = true
		case strings.Contains(seg, "export") || seg == "incremental" || seg == "download":
			export = true
		}
		seg = formats.Clean(strings.ToLower(seg), 60)
		if collection == "" || talks[seg] || customers[seg] || !talks[collection] && !customers[collection] && !search {
			collection = seg
		}
		shape = append(shape, seg)
	}
	if e.Resource = collection; e.Resource == "" {
		e.Resource = "/"
	}
	e.Shape = strings.TrimSpace(method + " /" + strings.Join(shape, "/"))
	switch method {
	case "POST", "PUT", "PATCH":
		e.Action = vigil.ActionWrite
		if search {
			e.Action = vigil.ActionSearch
		}
	case "DELETE":
		e.Action = vigil.ActionDelete
	case "GET", "HEAD", "":
		e.Action = vigil.ActionRead
		switch {
		case export:
			e.Action = vigil.ActionExport
		case search:
			e.Action = vigil.ActionSearch
		}
	default:
		e.Action = vigil.ActionOther
	}
	if n := int64(len(e.Subjects)); n > 0 {
		e.SubjectCount = n
	}
}

// isID says that a segment is a number or an id of hexadecimal digits.
func isID(s string) bool {
	if strings.Trim(s, "0123456789") == "" {
		return s != ""
	}
	return len(s) >= 16 && strings.Trim(s, "0123456789abcdefABCDEF-") == "" || len(s) == 26 && strings.Trim(s, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}
