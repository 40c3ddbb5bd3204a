package traffic

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// Format is a form in which traffic is written.
type Format string

// The formats. What each can't say is lost: see what follows each.
const (
	// Native says everything.
	Native Format = "native"
	// PgAudit is PostgreSQL's stderr log with the lines of pgaudit. It says when,
	// who, from where, with what application and in what session; action,
	// resource, customers, conversation, ticket, tenant, fields, rows and limit.
	// Lost are: ID, kind, role, team, purpose, principal, bytes, agent; customers
	// who are only counted; searches and shares, which are reads; the rows of
	// refused or failed statements and of those that change schema or roles; tenant and customers of an access to a whole
	// table; the tenant of a login, of the catalog and of what changes schema or
	// roles; resource and session of a login.
	PgAudit Format = "pgaudit"
	// Nginx is nginx's access log as JSON, with milliseconds and a session. It
	// says when, who, from where, with what agent and in what session; action,
	// resource, customers, conversation, ticket, tenant, bytes and limit. Lost are:
	// ID, kind, role, team, application, purpose, principal, fields, rows; customers
	// who are only counted, or too many for an address (see maxInURL).
	Nginx Format = "nginx"
	// NginxCombined is the combined log format: Nginx less session and fractions
	// of a second.
	NginxCombined Format = "nginx-combined"
)

// WriteFormats lists the formats in a fixed order.
func WriteFormats() []Format { return []Format{Native, PgAudit, Nginx, NginxCombined} }

// WriteAs writes every event in a format, injected ones too, and returns how many.
// It takes the place of Events.
func (w *World) WriteAs(out io.Writer, f Format) (int, error) { return WriteEvents(out, f, w.Events()) }

// WriteEvents writes events, which must be in order of time, and returns how many.
// It fails for a format that is not known, or when out does.
func WriteEvents(out io.Writer, f Format, events iter.Seq[*vigil.Event]) (int, error) {
	var line func(b []byte, e *vigil.Event) []byte
	switch f {
	case Native:
		line = appendLine
	case PgAudit:
		line = newServerLog().append
	case Nginx:
		line = appendAccessJSON
	case NginxCombined:
		line = appendCombined
	default:
		return 0, fmt.Errorf("write traffic: format %q is not one of %q", f, WriteFormats())
	}
	buf := bufio.NewWriterSize(out, 1<<16)
	n := 0
	b := make([]byte, 0, 1024)
	for e := range events {
		b = line(b[:0], e)
		if _, err := buf.Write(b); err != nil {
			return n, fmt.Errorf("write traffic: %w", err)
		}
		n++
	}
	if err := buf.Flush(); err != nil {
		return n, fmt.Errorf("write traffic: %w", err)
	}
	return n, nil
}

// The names of what the logs' columns, parameters and comments mean.
const (
	columnSubject      = "contact_id"
	columnConversation = "conversation_id"
	columnTenant       = "account_id"
	paramTicket        = "ticket"
	paramLimit         = "limit"
)

// classes are the tables and endpoints and how sensitive they are.
func classes() map[string]string {
	out := make(map[string]string)
	add := func(ops ...[]op) {
		for _, list := range ops {
			for _, o := range list {
				if o.class != "" || out[o.resource] == "" {
					out[o.resource] = o.class
				}
			}
		}
	}
	for _, r := range roles() {
		add(r.duties, r.cases)
	}
	add(vectorCases, qaCases, incidentOps, reading)
	for resource, class := range map[string]string{
		"messages": "content", "conversations": "metadata", "contacts": "personal",
		"shared_conversations": "content", "jobs": "metadata", "accounts": "metadata",
	} {
		out[resource] = class
	}
	return out
}

// Mapping says what the tables, columns, paths and parameters mean in what
// WriteEvents writes as PgAudit or Nginx. Each call returns a new one.
func Mapping() *formats.Mapping {
	m := &formats.Mapping{Tables: make(map[string]formats.Table), Params: map[string]formats.Meaning{
		columnSubject: formats.MeansSubject, columnConversation: formats.MeansConversation,
		paramTicket: formats.MeansTicket, paramLimit: formats.MeansLimit,
	}}
	known := classes()
	resources := make([]string, 0, len(known))
	for r := range known {
		resources = append(resources, r)
	}
	slices.Sort(resources)
	m.Paths = append(m.Paths,
		formats.Path{Template: "/login", Resource: "login", Action: string(vigil.ActionLogin)},
		formats.Path{Template: "/logout", Resource: "login", Action: string(vigil.ActionLogout)})
	for _, r := range resources {
		if !strings.HasPrefix(r, "pg_") { // the server's own
			m.Tables[r] = table(known[r])
		}
		base := "/api/{tenant}/" + r
		for _, a := range vigil.Actions() {
			if !plainAction(a) {
				m.Paths = append(m.Paths, formats.Path{Template: base + "/" + string(a), Resource: r, Class: known[r], Action: string(a)})
			}
		}
		m.Paths = append(m.Paths, formats.Path{Template: base, Resource: r, Class: known[r]})
	}
	return m
}

// table is one of a sensitivity; all have the same columns.
func table(class string) formats.Table {
	return formats.Table{Class: class, Columns: map[string]formats.Meaning{
		columnSubject: formats.MeansSubject, columnConversation: formats.MeansConversation, columnTenant: formats.MeansTenant,
	}}
}

// plainAction says that an action shows by the method of a request.
func plainAction(a vigil.Action) bool {
	return a == vigil.ActionRead || a == vigil.ActionWrite || a == vigil.ActionDelete || a == vigil.ActionLogin || a == vigil.ActionLogout
}
