// Package elasticsearch reads what Elasticsearch, OpenSearch and their web interfaces
// write about accesses:
//
//   - Elasticsearch's security audit log, as JSON (6.5 and newer) and as text;
//   - the slow logs of searches and of indexing, as JSON and as text;
//   - the audit log of OpenSearch's security plugin, bare or behind a log4j header;
//   - the request log of OpenSearch Dashboards, and Kibana's audit log.
//
// One request makes several audit records, one for each thing that it does within the
// cluster. They are joined by its id, at most maxRequests, of which the least recently
// seen is forgotten first; the state survives a restart. Work of the cluster itself and
// lines of the server's log yield nothing.
//
// Sources: Elasticsearch Reference, "Audit events", "Search slow log"; OpenSearch
// documentation, "Audit log field reference".
package elasticsearch

import (
	"fmt"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "elasticsearch"

// maxRequests bounds the requests that are remembered.
const maxRequests = 20_000

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Elasticsearch and OpenSearch", Group: formats.GroupDatabases,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Whose data it was shows in request bodies only, which the audit log leaves out unless it is told to keep them.",
		},
		JSON:   isJSON,
		Text:   isText,
		Params: map[string]string{"timezone": "the zone of times that name none, such as Europe/Berlin"},
		New:    newReader,
	})
}

type reader struct {
	opts     formats.Options
	zone     *time.Location
	requests *formats.Bounded[string, request]
}

// request is one that has been told: who made it, from where.
type request struct{ User, IP string }

func newReader(opts formats.Options) (record.Reader, error) {
	d := &reader{opts: opts, zone: time.UTC, requests: formats.NewBounded[string, request](maxRequests)}
	if z := opts.Params["timezone"]; z != "" {
		zone, err := time.LoadLocation(z)
		if err != nil {
			return nil, fmt.Errorf("timezone %q: %w", z, err)
		}
		d.zone = zone
	}
	return d, nil
}

// kindOf is what a record is.
type kindOf int

const (
	foreign    kindOf = iota
	audit             // Elasticsearch's
	slow              // a slow log
	server            // the server's log
	security          // OpenSearch's audit
	dashboards        // OpenSearch Dashboards
	kibana
)

// kind tells the records apart by keys that nobody else has.
func kind(v gjson.Result) (kindOf, float64) {
	get := v.Get
	typ := get("type").Str
	switch {
	case get("audit_category").Exists():
		return security, 0.98
	case get(`event\.action`).Exists() && get(`event\.type`).Exists() && (typ == "audit" || get(`node\.id`).Exists() || get(`request\.id`).Exists()):
		return audit, 0.98
	case typ == "index_search_slowlog" || typ == "index_indexing_slowlog" || get(`elasticsearch\.slowlog\.took`).Exists():
		return slow, 0.98
	case get(`cluster\.name`).Exists() && get(`node\.name`).Exists() && get("component").Exists(),
		strings.HasPrefix(get(`event\.dataset`).Str, "elasticsearch.") && get(`log\.level`).Exists():
		return server, 0.9
	case (typ == "response" || typ == "log" || typ == "ops" || typ == "error") && get("@timestamp").Exists() && get("tags").IsArray() && get("pid").Exists():
		return dashboards, 0.9
	case get("kibana").IsObject() && get("event.action").Exists() && get("@timestamp").Exists():
		return kibana, 0.95
	}
	return foreign, 0
}

func isJSON(v gjson.Result) float64 {
	_, sure := kind(v)
	return sure
}

// Read gives out what a record says.
func (d *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	if !r.JSON.Exists() {
		return d.text(r, emit)
	}
	return d.json(r, r.JSON, emit)
}

func (d *reader) json(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	switch k, _ := kind(v); k {
	case audit:
		return d.audit(r, v, emit)
	case slow:
		return d.slow(r, v, emit)
	case security:
		return d.security(r, v, emit)
	case dashboards:
		return d.dashboards(r, v, emit)
	case kibana:
		return d.kibana(r, v, emit)
	}
	return nil
}

// when reads the time of a record.
func (d *reader) when(v gjson.Result, paths ...string) (time.Time, *formats.Error) {
	for _, p := range paths {
		if t, ok := formats.Time(v.Get(p).String(), d.zone); ok {
			return t, nil
		}
	}
	return time.Time{}, formats.ErrTime(paths[0])
}

// act makes who of a name; without one it is an anonymous actor, named by its address.
func act(e *vigil.Event, user string) {
	e.Actor.ID = user
	switch user {
	case "", "_anonymous", "anonymous", "opendistro_security_anonymous", "opensearch_security_anonymous":
		e.Actor.Kind = vigil.KindAnonymous
		if e.Actor.ID = e.IP; e.IP == "" {
			e.Actor.ID = "anonymous"
		}
	case "kibana", "kibana_system", "kibanaserver", "logstash", "logstash_system", "beats_system", "apm_system", "remote_monitoring_user":
		e.Actor.Kind = vigil.KindService
	}
}

// again notes that a request has been told, and reports whether it had been before.
func (d *reader) again(r *record.Record, id string, e *vigil.Event) bool {
	if id = r.Clean(id, 128); id == "" {
		return false
	}
	_, told := d.requests.Get(id)
	if !told {
		d.requests.Put(id, request{User: e.Actor.ID, IP: e.IP})
	}
	return told
}

type savedState struct {
	IDs      []string
	Requests []request
}

// State is which requests have been told.
func (d *reader) State() ([]byte, error) {
	var s savedState
	for id, q := range d.requests.All() {
		s.IDs, s.Requests = append(s.IDs, id), append(s.Requests, q)
	}
	return cbor.Marshal(s)
}

// Restore takes it back.
func (d *reader) Restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var s savedState
	if err := cbor.Unmarshal(data, &s); err != nil {
		return err
	}
	for i := range min(len(s.IDs), len(s.Requests)) {
		d.requests.Put(s.IDs[i], s.Requests[i])
	}
	return nil
}
