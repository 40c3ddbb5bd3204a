package file

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"vigil"
)

// The sorter's form of an event on disk: every field in a fixed order, numbers
// as varints, strings and lists with their lengths. It lives as long as one
// reading and is read by the same program, so it has no version.

// errSpill says that what was spilled does not come back as it was written.
var errSpill = errors.New("the temporary file is damaged")

func eventStrings(e *vigil.Event) [25]*string {
	return [25]*string{
		&e.ID, &e.Source, &e.Actor.ID, (*string)(&e.Actor.Kind), &e.Actor.Role, &e.Actor.Team,
		&e.Actor.Tenant, &e.Actor.App, &e.Principal, &e.Session, &e.Conversation, (*string)(&e.Action),
		&e.Store, &e.Resource, &e.ResourceClass, &e.ResourceTenant, &e.Ticket, &e.Purpose, &e.IP,
		&e.Network, &e.Country, &e.ASN, &e.UserAgent, (*string)(&e.Outcome), &e.Shape,
	}
}

func eventNumbers(e *vigil.Event) [6]*int64 {
	return [6]*int64{&e.SubjectCount, &e.Rows, &e.Bytes, &e.Limit, &e.Origin.Offset, &e.Origin.Line}
}

const (
	flagUnbounded = 1 << iota
	flagLate
	flagReceived
	flagDestination
	flagSubjects
	flagFields
)

// appendEvent appends e to dst.
func appendEvent(dst []byte, e *vigil.Event) []byte {
	var flags byte
	set := func(flag byte, on bool) {
		if on {
			flags |= flag
		}
	}
	set(flagUnbounded, e.Unbounded)
	set(flagLate, e.Late)
	set(flagReceived, !e.Received.IsZero())
	set(flagDestination, e.Destination != nil)
	set(flagSubjects, e.Subjects != nil)
	set(flagFields, e.Fields != nil)
	dst = append(dst, flags)
	dst = appendTime(dst, e.Time)
	if flags&flagReceived != 0 {
		dst = appendTime(dst, e.Received)
	}
	for _, s := range eventStrings(e) {
		dst = appendString(dst, *s)
	}
	for _, n := range eventNumbers(e) {
		dst = binary.AppendVarint(dst, *n)
	}
	dst = append(dst, byte(e.Step))
	dst = appendString(dst, e.Origin.File)
	dst = binary.BigEndian.AppendUint64(dst, e.Origin.Hash)
	if flags&flagSubjects != 0 {
		dst = appendStrings(dst, e.Subjects)
	}
	if flags&flagFields != 0 {
		dst = appendStrings(dst, e.Fields)
	}
	if to := e.Destination; to != nil {
		dst = appendStrings(dst, []string{to.Kind, to.Network, to.Region})
	}
	return dst
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.AppendVarint(dst, t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond()))
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendStrings(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = appendString(dst, s)
	}
	return dst
}

// cursor reads one event's bytes.
type cursor struct {
	b      []byte
	intern func([]byte) string
	bad    bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) string() string { return c.intern(c.take(c.uvarint())) }

func (c *cursor) strings() []string {
	n := c.uvarint()
	if n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = c.string()
	}
	return list
}

func (c *cursor) time() time.Time {
	sec := c.varint()
	return time.Unix(sec, int64(c.uvarint())).UTC()
}

// event reads what appendEvent wrote.
func (c *cursor) event() (*vigil.Event, error) {
	e := &vigil.Event{}
	head := c.take(1)
	if c.bad {
		return nil, errSpill
	}
	flags := head[0]
	e.Unbounded, e.Late = flags&flagUnbounded != 0, flags&flagLate != 0
	e.Time = c.time()
	if flags&flagReceived != 0 {
		e.Received = c.time()
	}
	for _, s := range eventStrings(e) {
		*s = c.string()
	}
	for _, n := range eventNumbers(e) {
		*n = c.varint()
	}
	if b := c.take(1); !c.bad {
		e.Step = vigil.Step(b[0])
	}
	e.Origin.File = c.string()
	if b := c.take(8); !c.bad {
		e.Origin.Hash = binary.BigEndian.Uint64(b)
	}
	if flags&flagSubjects != 0 {
		e.Subjects = c.strings()
	}
	if flags&flagFields != 0 {
		e.Fields = c.strings()
	}
	if flags&flagDestination != 0 {
		if to := c.strings(); len(to) == 3 {
			e.Destination = &vigil.Destination{Kind: to[0], Network: to[1], Region: to[2]}
		} else {
			c.bad = true
		}
	}
	if c.bad || len(c.b) != 0 {
		return nil, errSpill
	}
	return e, nil
}

// weight estimates what e takes in memory, in bytes.
func weight(e *vigil.Event) int64 {
	n := int64(640)
	for _, s := range eventStrings(e) {
		n += int64(len(*s))
	}
	for _, s := range e.Subjects {
		n += int64(16 + len(s))
	}
	for _, s := range e.Fields {
		n += int64(16 + len(s))
	}
	return n
}

// readFrame reads one length-prefixed event from r into buf.
func readFrame(r io.Reader, buf []byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return buf, err
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return buf, errSpill
	}
	return buf, nil
}
