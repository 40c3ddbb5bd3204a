package ledger

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"vigil"
)

// maxEventBytes bounds the strings of one event: 4 MiB.
const maxEventBytes = 4 << 20

// maxReason bounds each text of a quarantined record.
const maxReason = 1024

var (
	earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// cleanEvent gives the event the form in which it is kept (UTC, valid UTF-8, its
// source named), or says why it can't be. Giving it twice changes nothing.
func cleanEvent(e *vigil.Event, source string) *vigil.Quarantined {
	refuse := func(code, reason string) *vigil.Quarantined {
		q := &vigil.Quarantined{
			Source: source, File: e.Origin.File, Line: e.Origin.Line, Offset: e.Origin.Offset,
			Reason: reason, Code: code, Hash: e.Origin.Hash,
		}
		cleanQuarantined(q, source)
		return q
	}
	if err := e.Validate(); err != nil {
		return refuse("event", err.Error())
	}
	switch {
	case e.ID == "":
		return refuse("event", "id is missing, so a repeat could not be told")
	case !e.Received.IsZero() && (e.Received.Before(earliest) || !e.Received.Before(latest)):
		return refuse("clock", fmt.Sprintf("received at %s, outside 1990 to 2100: set the clock of the machine right", e.Received.UTC().Format(time.RFC3339)))
	case len(e.Fields) > vigil.MaxSubjects:
		return refuse("too-long", fmt.Sprintf("%d fields named, at most %d", len(e.Fields), vigil.MaxSubjects))
	}
	if n := eventSize(e); n > maxEventBytes {
		return refuse("too-long", fmt.Sprintf("event of %d bytes, at most %d", n, maxEventBytes))
	}
	e.Time, e.Received = e.Time.UTC().Round(0), e.Received.UTC().Round(0)
	if e.Source == "" {
		e.Source = source
	}
	eachString(e, func(s *string) {
		// Parquet readers refuse a whole file for one string that is not UTF-8.
		if !utf8.ValidString(*s) {
			*s = strings.ToValidUTF8(*s, "\uFFFD")
		}
	})
	return nil
}

func cleanQuarantined(q *vigil.Quarantined, source string) {
	if q.Source == "" {
		q.Source = source
	}
	for _, s := range []*string{&q.Source, &q.File, &q.Reason, &q.Code} {
		if len(*s) > maxReason {
			*s = (*s)[:maxReason]
		}
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	if !q.Time.IsZero() && (q.Time.Before(earliest) || !q.Time.Before(latest)) {
		q.Time = time.Time{}
	}
}

func eventSize(e *vigil.Event) int {
	n := 0
	eachString(e, func(s *string) { n += len(*s) })
	return n
}

// eachString calls f for every string of an event but those of closed sets,
// which Validate has checked.
func eachString(e *vigil.Event, f func(*string)) {
	f(&e.ID)
	f(&e.Source)
	f(&e.Actor.ID)
	f(&e.Actor.Role)
	f(&e.Actor.Team)
	f(&e.Actor.Tenant)
	f(&e.Actor.App)
	f(&e.Principal)
	f(&e.Session)
	f(&e.Conversation)
	f(&e.Store)
	f(&e.Resource)
	f(&e.ResourceClass)
	f(&e.ResourceTenant)
	f(&e.Ticket)
	f(&e.Purpose)
	f(&e.IP)
	f(&e.Network)
	f(&e.Country)
	f(&e.ASN)
	f(&e.UserAgent)
	f(&e.Shape)
	f(&e.Origin.File)
	for i := range e.Subjects {
		f(&e.Subjects[i])
	}
	for i := range e.Fields {
		f(&e.Fields[i])
	}
	if d := e.Destination; d != nil {
		f(&d.Kind)
		f(&d.Network)
		f(&d.Region)
	}
}
