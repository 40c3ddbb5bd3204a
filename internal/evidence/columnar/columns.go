package columnar

import (
	"strconv"

	"vigil"
)

// The numbers of the columns are part of the form on disk: never reused, never
// reordered.
const (
	colTime = iota + 1
	colReceived
	colID
	colHash
	colLate
	colUnbounded
	colHasDestination
	colSubjectCount
	colRows
	colBytes
	colLimit
	colOffset
	colLine
	colSubjectsLen
	colSubjects
	colFieldsLen
	colFields
	colStrings // the first of stringColumns
)

// stringColumn is a field that is kept by dictionary.
type stringColumn struct {
	group Columns
	get   func(*vigil.Event) string
	set   func(*vigil.Event, string)
}

// stringColumns lists the dictionary columns; the position is part of the form
// on disk. A new one goes to the end. It is read only.
var stringColumns = []stringColumn{
	{Identity, func(e *vigil.Event) string { return e.Source }, func(e *vigil.Event, s string) { e.Source = s }},
	{Who, func(e *vigil.Event) string { return e.Actor.ID }, func(e *vigil.Event, s string) { e.Actor.ID = s }},
	{Who, func(e *vigil.Event) string { return e.Actor.Tenant }, func(e *vigil.Event, s string) { e.Actor.Tenant = s }},
	{Rest, func(e *vigil.Event) string { return string(e.Actor.Kind) }, func(e *vigil.Event, s string) { e.Actor.Kind = vigil.ActorKind(s) }},
	{Rest, func(e *vigil.Event) string { return e.Actor.Role }, func(e *vigil.Event, s string) { e.Actor.Role = s }},
	{Rest, func(e *vigil.Event) string { return e.Actor.Team }, func(e *vigil.Event, s string) { e.Actor.Team = s }},
	{Rest, func(e *vigil.Event) string { return e.Actor.App }, func(e *vigil.Event, s string) { e.Actor.App = s }},
	{Rest, func(e *vigil.Event) string { return e.Principal }, func(e *vigil.Event, s string) { e.Principal = s }},
	{Rest, func(e *vigil.Event) string { return e.Session }, func(e *vigil.Event, s string) { e.Session = s }},
	{Rest, func(e *vigil.Event) string { return e.Conversation }, func(e *vigil.Event, s string) { e.Conversation = s }},
	{Rest, func(e *vigil.Event) string { return string(e.Action) }, func(e *vigil.Event, s string) { e.Action = vigil.Action(s) }},
	{Rest, func(e *vigil.Event) string { return e.Store }, func(e *vigil.Event, s string) { e.Store = s }},
	{Rest, func(e *vigil.Event) string { return e.Resource }, func(e *vigil.Event, s string) { e.Resource = s }},
	{Rest, func(e *vigil.Event) string { return e.ResourceClass }, func(e *vigil.Event, s string) { e.ResourceClass = s }},
	{Rest, func(e *vigil.Event) string { return e.ResourceTenant }, func(e *vigil.Event, s string) { e.ResourceTenant = s }},
	{Rest, func(e *vigil.Event) string { return e.Ticket }, func(e *vigil.Event, s string) { e.Ticket = s }},
	{Rest, func(e *vigil.Event) string { return e.Purpose }, func(e *vigil.Event, s string) { e.Purpose = s }},
	{Rest, func(e *vigil.Event) string { return e.IP }, func(e *vigil.Event, s string) { e.IP = s }},
	{Rest, func(e *vigil.Event) string { return e.Network }, func(e *vigil.Event, s string) { e.Network = s }},
	{Rest, func(e *vigil.Event) string { return e.Country }, func(e *vigil.Event, s string) { e.Country = s }},
	{Rest, func(e *vigil.Event) string { return e.ASN }, func(e *vigil.Event, s string) { e.ASN = s }},
	{Rest, func(e *vigil.Event) string { return e.UserAgent }, func(e *vigil.Event, s string) { e.UserAgent = s }},
	{Rest, func(e *vigil.Event) string { return string(e.Outcome) }, func(e *vigil.Event, s string) { e.Outcome = vigil.Outcome(s) }},
	{Rest, func(e *vigil.Event) string { return e.Shape }, func(e *vigil.Event, s string) { e.Shape = s }},
	{Rest, func(e *vigil.Event) string { return e.Origin.File }, func(e *vigil.Event, s string) { e.Origin.File = s }},
	{Rest, destination(func(d *vigil.Destination) *string { return &d.Kind }), setDestination(func(d *vigil.Destination) *string { return &d.Kind })},
	{Rest, destination(func(d *vigil.Destination) *string { return &d.Network }), setDestination(func(d *vigil.Destination) *string { return &d.Network })},
	{Rest, destination(func(d *vigil.Destination) *string { return &d.Region }), setDestination(func(d *vigil.Destination) *string { return &d.Region })},
	{Rest, func(e *vigil.Event) string { return stepLabel(e.Step) }, func(e *vigil.Event, s string) { e.Step = stepOf(s) }},
}

// stepLabel names a step; the usual one, unknown, takes no room.
func stepLabel(s vigil.Step) string {
	if s == vigil.StepUnknown {
		return ""
	}
	return strconv.Itoa(int(s))
}

func stepOf(label string) vigil.Step {
	n, err := strconv.Atoi(label)
	if s := vigil.Step(n); err == nil && s.Valid() {
		return s
	}
	return vigil.StepUnknown
}

func destination(field func(*vigil.Destination) *string) func(*vigil.Event) string {
	return func(e *vigil.Event) string {
		if e.Destination == nil {
			return ""
		}
		return *field(e.Destination)
	}
}

// setDestination leaves events without a destination alone: whether there is
// one is a column of its own, decoded before.
func setDestination(field func(*vigil.Destination) *string) func(*vigil.Event, string) {
	return func(e *vigil.Event, s string) {
		if e.Destination != nil {
			*field(e.Destination) = s
		}
	}
}

// intColumn is a number that is kept by difference from the one before.
type intColumn struct {
	number int
	get    func(*vigil.Event) int64
	set    func(*vigil.Event, int64)
}

// intColumns is read only.
var intColumns = []intColumn{
	{colLate, func(e *vigil.Event) int64 { return bit(e.Late) }, func(e *vigil.Event, v int64) { e.Late = v != 0 }},
	{colUnbounded, func(e *vigil.Event) int64 { return bit(e.Unbounded) }, func(e *vigil.Event, v int64) { e.Unbounded = v != 0 }},
	{colHasDestination, func(e *vigil.Event) int64 { return bit(e.Destination != nil) }, func(e *vigil.Event, v int64) {
		if v != 0 {
			e.Destination = &vigil.Destination{}
		}
	}},
	{colSubjectCount, func(e *vigil.Event) int64 { return e.SubjectCount }, func(e *vigil.Event, v int64) { e.SubjectCount = v }},
	{colRows, func(e *vigil.Event) int64 { return e.Rows }, func(e *vigil.Event, v int64) { e.Rows = v }},
	{colBytes, func(e *vigil.Event) int64 { return e.Bytes }, func(e *vigil.Event, v int64) { e.Bytes = v }},
	{colLimit, func(e *vigil.Event) int64 { return e.Limit }, func(e *vigil.Event, v int64) { e.Limit = v }},
	{colOffset, func(e *vigil.Event) int64 { return e.Origin.Offset }, func(e *vigil.Event, v int64) { e.Origin.Offset = v }},
	{colLine, func(e *vigil.Event) int64 { return e.Origin.Line }, func(e *vigil.Event, v int64) { e.Origin.Line = v }},
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
