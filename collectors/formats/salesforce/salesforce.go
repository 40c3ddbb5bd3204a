// Package salesforce reads the records of Salesforce: event log files (EventLogFile),
// as they are downloaded (comma-separated values) or turned into JSON, real-time events
// (streams and stored objects), the setup audit trail and the login history. Salesforce
// documents them in its Object Reference and its Platform Events Developer Guide; no raw
// file of an organisation was at hand, so the CSV form follows the documentation.
package salesforce

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "salesforce",
		Tells: formats.Tells{
			Title: "Salesforce", Group: formats.GroupDesks, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Yes,
			Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Event Monitoring (Shield) writes what was read and how many rows; without it there are logins and settings alone.",
		},
		JSON: sure,
		CSV:  func(columns []string) float64 { return sure(record.Columns(columns)) },
		Params: map[string]string{
			"vendors":  "user ids, usernames and client names of integrations of other companies, with commas between: their kind is vendor",
			"timezone": "the zone of times without one, as in the setup audit trail's download: a name such as Europe/Berlin",
		},
		New: newReader,
	})
}

type reader struct {
	vendors []string
	zone    *time.Location
	// runs are executions of reports and list views whose rows were told already: a long
	// one comes in several events, each of which tells the rows of all.
	runs *formats.Bounded[string, bool]
}

// maxRuns bounds how many executions are remembered.
const maxRuns = 4096

// State is which executions were seen.
func (rd *reader) State() ([]byte, error) {
	var ids []string
	for id := range rd.runs.All() {
		ids = append(ids, id)
	}
	return cbor.Marshal(ids)
}

// Restore takes it back.
func (rd *reader) Restore(state []byte) error {
	var ids []string
	if len(state) == 0 {
		return nil
	}
	if err := cbor.Unmarshal(state, &ids); err != nil {
		return err
	}
	for _, id := range ids {
		rd.runs.Put(id, true)
	}
	return nil
}

func newReader(opts formats.Options) (record.Reader, error) {
	r := &reader{zone: time.UTC, runs: formats.NewBounded[string, bool](maxRuns)}
	for v := range strings.SplitSeq(opts.Params["vendors"], ",") {
		if v = strings.TrimSpace(v); v != "" {
			r.vendors = append(r.vendors, userID(v))
		}
	}
	if name := opts.Params["timezone"]; name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, fmt.Errorf("format salesforce: parameter timezone: %w", err)
		}
		r.zone = zone
	}
	return r, nil
}

// form is one of the shapes in which records come.
type form int

const (
	formNone form = iota
	formLogFile
	formRealTime
	formSetup
	formLoginHistory
)

// formOf tells the forms apart, by keys of theirs.
func formOf(v gjson.Result) form {
	has := func(keys ...string) bool {
		for _, k := range keys {
			if !v.Get(k).Exists() {
				return false
			}
		}
		return true
	}
	switch {
	case has("EVENT_TYPE") && (has("TIMESTAMP") || has("TIMESTAMP_DERIVED")) && (has("USER_ID") || has("ORGANIZATION_ID") || has("REQUEST_ID")):
		return formLogFile
	case strings.HasSuffix(v.Get("attributes.type").Str, "EventLog") && has("Timestamp"):
		return formLogFile
	case strings.HasPrefix(v.Get("channel").Str, "/event/") && v.Get("data.payload").IsObject():
		return formRealTime
	case has("EventDate") && (has("EventIdentifier") || has("EventUuid")) && (has("UserId") || has("Username")):
		return formRealTime
	case has("sfdc_created_date", "action"), has("Action", "Section", "Display", "CreatedDate"), has("Date", "User", "Action", "Section", "Delegate User"):
		return formSetup
	case has("LoginTime", "LoginType") && (has("UserId") || has("Username")), has("Login Time", "Login Type", "Username"):
		return formLoginHistory
	}
	return formNone
}

func sure(v gjson.Result) float64 {
	if formOf(v) == formNone {
		return 0
	}
	return 0.95
}

// Read makes an event of a record.
func (rd *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	switch formOf(r.JSON) {
	case formLogFile:
		return rd.logFile(r, emit)
	case formRealTime:
		return rd.realTime(r, emit)
	case formSetup:
		return rd.setup(r, emit)
	default:
		return rd.loginHistory(r, emit)
	}
}

// event begins an event of this store.
func event(r *record.Record, at time.Time) *vigil.Event {
	e := r.Event()
	e.Time = at
	if e.Store == "" {
		e.Store = "salesforce"
	}
	return e
}

// actor sets who it was: id where told, else a name, else nobody that is known.
func (rd *reader) actor(e *vigil.Event, id, name string) {
	e.Actor.ID = userID(id)
	if e.Actor.ID == "" {
		e.Actor.ID = name
	}
	if e.Actor.ID == "" {
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
		if e.IP != "" {
			e.Actor.ID = e.IP
		}
		return
	}
	for _, who := range []string{e.Actor.ID, name, e.Actor.App} {
		if who != "" && slices.Contains(rd.vendors, who) {
			e.Actor.Kind = vigil.KindVendor
			return
		}
	}
}

// when reads the first of the paths that holds a time.
func (rd *reader) when(r *record.Record, paths ...string) (time.Time, error) {
	for _, p := range paths {
		s := r.Get(p)
		if s == "" {
			continue
		}
		if at, ok := rd.parseTime(s); ok {
			return at, nil
		}
	}
	return time.Time{}, formats.ErrTime(paths[0])
}

// abbreviations are the hours from UTC of the zones in which downloads write times.
var abbreviations = map[string]int{
	"UTC": 0, "GMT": 0, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5,
	"MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "SGT": 8, "AEST": 10, "AEDT": 11,
}

func (rd *reader) parseTime(s string) (time.Time, bool) {
	// The compact form of event log files: 20260102030405.678.
	if len(s) >= 14 && strings.Trim(s, "0123456789.") == "" && strings.IndexByte(s+".", '.') == 14 {
		at, err := time.Parse("20060102150405", s)
		return at, err == nil
	}
	zone := rd.zone
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		if hours, ok := abbreviations[s[i+1:]]; ok {
			s, zone = s[:i], time.FixedZone("", hours*3600)
		}
	}
	return formats.Time(strings.ReplaceAll(s, ",", ""), zone)
}
