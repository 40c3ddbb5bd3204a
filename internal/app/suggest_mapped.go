package app

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/collectors/formats/mapped"
	"vigil/collectors/formats/record"
)

// wanted are the fields of an event that a log of no known format may hold, with the names
// that people give them, the surest first. A name matches a key that ends in it.
var wanted = []struct {
	field string
	names []string
}{
	{"time", []string{"@timestamp", "timestamp", "time", "created_at", "createdat", "occurred_at", "event_time", "eventtime", "date", "datetime", "ts", "at", "when"}},
	{"actor", []string{"user.email", "actor.email", "user_email", "useremail", "email", "username", "user_name", "user.name", "actor.name", "actor.id", "user.id", "user_id", "userid", "actor", "user", "login", "agent", "principal", "performed_by", "who"}},
	{"action", []string{"action", "event_type", "eventtype", "event_name", "eventname", "operation", "activity", "method", "verb", "event", "type", "op"}},
	{"resource", []string{"resource_type", "resource.type", "resource", "object_type", "object", "entity_type", "entity", "target_type", "target.type", "table", "collection", "path", "url", "endpoint"}},
	{"subjects", []string{"customer_id", "customerid", "customer.id", "contact_id", "contactid", "contact.id", "client_id", "subscriber_id", "patient_id", "customer", "contact", "subject_id", "subject", "target_id", "resource_id"}},
	{"conversation", []string{"conversation_id", "conversationid", "conversation.id", "chat_id", "chatid", "thread_id", "conversation"}},
	{"ticket", []string{"ticket_id", "ticketid", "ticket.id", "case_id", "ticket"}},
	{"session", []string{"session_id", "sessionid", "session.id", "session"}},
	{"ip", []string{"ip_address", "ipaddress", "client_ip", "clientip", "remote_addr", "source_ip", "sourceip", "client.ip", "source.ip", "remote_ip", "ip"}},
	{"user_agent", []string{"user_agent", "useragent", "user-agent"}},
	{"rows", []string{"row_count", "rowcount", "rows", "num_rows", "result_count", "records"}},
	{"bytes", []string{"bytes_sent", "response_bytes", "bytes", "response_size"}},
	{"outcome", []string{"outcome", "result", "status", "success"}},
}

// guessMapped makes a mapping file for a log of JSON or comma-separated values that no
// format knows, by the names of its keys; ok says that it reads something of the log.
func guessMapped(f *file.Family) (text string, with sampled, ok bool) {
	rows := recordsOf(f.Text)
	if len(rows) == 0 {
		return "", with, false
	}
	keys := map[string]string{} // in lower case, without spaces, to as written
	for _, r := range rows {
		pathsOf(r, "", 0, keys)
	}
	taken := map[string]bool{}
	var b strings.Builder
	b.WriteString("fields:\n")
	found := map[string]bool{}
	for _, w := range wanted {
		for _, name := range w.names {
			if path := keyNamed(keys, name, taken); path != "" {
				taken[path], found[w.field] = true, true
				fmt.Fprintf(&b, "  %s: %s\n", w.field, strconv.Quote(path))
				break
			}
		}
	}
	if !found["time"] || !found["actor"] {
		return "", with, false
	}
	if !found["action"] {
		b.WriteString("  action: {const: read}\n")
	}
	text = b.String()
	if _, err := mapped.Parse("suggested", []byte(text)); err != nil {
		return "", with, false
	}
	with = tryMapped(f, text)
	return text, with, with.events > 0 && with.events >= with.aside
}

// tryMapped reads the log's start by a mapping file.
func tryMapped(f *file.Family, text string) (s sampled) {
	tmp, err := os.CreateTemp("", "vigil-mapping-*.yaml")
	if err != nil {
		return s
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // a temporary folder is cleaned up anyway
	_, err = tmp.WriteString(text)
	if cerr := tmp.Close(); err != nil || cerr != nil {
		return s
	}
	g := *f
	g.Format = mapped.Format()
	return sample(&g, nil, map[string]string{mapped.ParamMapping: tmp.Name()})
}

// enoughRecords is how many records are looked at for the names of their keys.
const enoughRecords = 50

// recordsOf takes the first records of a log as JSON objects; a table's rows become
// such.
func recordsOf(text []byte) (rows []gjson.Result) {
	t := bytes.TrimSpace(text)
	if record.StartsJSON(t) {
		for line := range bytes.Lines(t) {
			if v := gjson.ParseBytes(line); v.IsObject() && gjson.ValidBytes(line) && len(rows) < enoughRecords {
				rows = append(rows, v)
			}
		}
		if len(rows) > 0 {
			return rows
		}
		if len(t) <= formats.MaxLine && record.Shallow(t) {
			return objectsIn(gjson.ParseBytes(t), 0)
		}
		return nil
	}
	r := csv.NewReader(bytes.NewReader(t[:min(len(t), formats.MaxSample)]))
	r.LazyQuotes = true
	names, err := r.Read()
	if err != nil || len(names) < 3 {
		return nil
	}
	return []gjson.Result{record.Columns(names)}
}

// objectsIn finds the objects that a document is a list of.
func objectsIn(v gjson.Result, depth int) (rows []gjson.Result) {
	if depth > 3 {
		return nil
	}
	v.ForEach(func(_, item gjson.Result) bool {
		switch {
		case v.IsArray() && item.IsObject():
			rows = append(rows, item)
		case item.IsArray():
			rows = append(rows, objectsIn(item, depth+1)...)
		}
		return len(rows) < enoughRecords
	})
	return rows
}

// pathsOf lists the paths to an object's values.
func pathsOf(v gjson.Result, prefix string, depth int, into map[string]string) {
	v.ForEach(func(key, item gjson.Result) bool {
		path := strings.TrimPrefix(prefix+"."+key.Str, ".")
		switch {
		case item.IsObject() && depth < 4:
			pathsOf(item, path, depth+1, into)
		case !item.IsArray() && len(into) < 2000:
			into[strings.ReplaceAll(strings.ToLower(path), " ", "_")] = path
		}
		return true
	})
}

// keyNamed is the path that has a name or, failing that, the shortest that ends in it.
func keyNamed(keys map[string]string, name string, taken map[string]bool) (path string) {
	if p, ok := keys[name]; ok && !taken[p] {
		return p
	}
	for lower, p := range keys {
		if strings.HasSuffix(lower, "."+name) && !taken[p] && (path == "" || len(p) < len(path) || len(p) == len(path) && p < path) {
			path = p
		}
	}
	return path
}

// mappedSource makes a source of a log that no format knows.
func mappedSource(f *file.Family, used map[string]bool) (SuggestedSource, bool) {
	text, with, ok := guessMapped(f)
	if !ok {
		return SuggestedSource{}, false
	}
	return SuggestedSource{
		Name: sourceName(f.Path, used), Files: f.Path, Format: mapped.Name, MappingFile: text,
		Events: with.events, SetAside: with.aside, Subjects: with.subjects, Conversations: with.conversations,
	}, true
}
