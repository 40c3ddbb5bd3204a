package record

import "vigil/collectors/formats"

// Frames cuts a stream into JSON values and lines of text, for formats that put records
// together themselves. The zero value is ready.
type Frames struct{ f framer }

// Feed takes the next line and gives out the values and lines that end in it; from is
// where one starts, its text is valid during the call only. What can't be framed goes to
// fail.
func (f *Frames) Feed(line formats.Line, take func(text []byte, from formats.Line), fail func(error)) {
	f.f.feed(line, func(fm frame) { take(fm.text, fm.from) }, fail)
}

// Flush ends the stream: a value that has not ended goes to fail.
func (f *Frames) Flush(fail func(error)) {
	if from, held := f.f.open(); held && !f.f.skip {
		fail(errCut(from))
	}
	f.f.reset()
}

// Open is where the value in hand starts, if there is one.
func (f *Frames) Open() (formats.Line, bool) { return f.f.open() }

// Held is what there is of the value in hand, valid until the next call.
func (f *Frames) Held() []byte {
	if f.f.skip {
		return nil
	}
	return f.f.buf
}

// Container reads the lines of a container runtime's log. The zero value is ready.
type Container struct{ p peeler }

// Join takes the runtime's framing off a line and puts lines together that the runtime has
// cut: whole is false for a part that goes on. Another line comes back as it is.
func (c *Container) Join(text []byte) (inner []byte, carrier Carrier, whole bool) {
	return c.p.join(text)
}

// Open says that a part waits for its rest.
func (c *Container) Open() bool { return len(c.p.partial) > 0 }

// Syslog takes the header off a line of syslog. ok is false when there is none.
func Syslog(text []byte) (inner []byte, c Carrier, ok bool) { return syslog(text) }

// Shallow says that JSON is nested no deeper than MaxDepth.
func Shallow(text []byte) bool { return shallow(text) }

// StartsJSON says that a line looks like the start of JSON rather than like text that
// begins with a bracket.
func StartsJSON(text []byte) bool { return startsJSON(text) }
