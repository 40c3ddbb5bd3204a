package otlp

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/formats"
)

const (
	// maxWhole bounds one record, in bytes.
	maxWhole = decode.MaxMessage
	// maxRecord bounds one that the format of spans reads, as JSON, in bytes. With a
	// resource and a scope it is not larger than a line may be.
	maxRecord = formats.MaxLine - 2*maxAround - 4<<10
	// docBytes is what is put together into one document for that format, and windowBytes
	// what is held of them.
	docBytes    = 128 << 10
	windowBytes = 8 << 20
	// batchEvents and batchBytes bound what is handed to the sink at once, as far as one
	// window does not hold more.
	batchEvents = 10_000
	batchBytes  = 8 << 20
	// maxStreams bounds the decoders of a source's bodies.
	maxStreams = 64
	// surelyBody is how sure a format must be of a body, and surelyBot that of spans of a
	// record's attributes, so that the record is taken for one of it.
	surelyBody = 0.5
	surelyBot  = 0.9
)

// source is one source with its token's digest: digests have one length, so that comparing
// them tells nothing about the token's.
type source struct {
	revision string // of its configuration
	name     string
	digest   [sha256.Size]byte
	// slots are for the requests in memory, waiting for those that wait for one of them.
	slots, waiting chan struct{}
	// records says how spans and records of bots are read, by format; bodies how bodies are.
	records, bodies decode.Config
	format          formats.Format

	turn chan struct{} // guards all below
	// otel reads spans and records of bots; streams read bodies.
	otel    *decode.Stream
	streams *formats.Bounded[uint64, *decode.Stream]
	// held is the batch that the sink refused last, nil for none.
	held    *collectors.Batch
	failing bool
}

// forget makes fresh decoders.
func (s *source) forget() {
	s.otel = decode.NewStream(&s.records, "otlp")
	s.streams = formats.NewBounded[uint64, *decode.Stream](maxStreams)
}

// streamName stands in the origin of what comes by a signal.
func streamName(s signal) string { return "otlp:" + string(s) }

// place makes a hash a place in a stream, such as decode takes.
func place(hash uint64) int64 { return int64(hash & (1<<42 - 1)) }

// reading is a request that is being decoded.
type reading struct {
	s    *source
	sig  signal
	now  time.Time
	hand func(collectors.Batch) error

	batch collectors.Batch
	bytes int // of the records in batch
	docs  documents
	// seen counts equal log records.
	seen map[uint64]int
	// around is the hash of the resource of number resource.
	around   uint64
	resource int

	rejected int64
	why      string
	err      error // the sink's
}

func newReading(s *source, sig signal, now time.Time, hand func(collectors.Batch) error) *reading {
	return &reading{s: s, sig: sig, now: now, hand: hand, docs: documents{sig: sig}, seen: map[uint64]int{}}
}

// take takes the next record.
func (in *reading) take(r record) {
	if in.err != nil {
		return
	}
	in.bytes += len(r.raw)
	switch {
	case r.err != nil:
		in.refuse(r, r.err)
	case in.sig == signalTraces:
		in.otel(r, r.json)
	default:
		in.log(r)
	}
	if in.docs.size >= windowBytes {
		in.flush()
	}
	if len(in.batch.Events)+len(in.batch.Quarantined) >= batchEvents || in.bytes >= batchBytes {
		in.give()
	}
}

// end takes what is left.
func (in *reading) end() {
	if in.err == nil {
		in.give()
	}
}

// give hands over what there is.
func (in *reading) give() {
	in.flush()
	if in.batch.Len() > 0 {
		in.err = in.hand(in.batch)
	}
	in.batch, in.bytes = collectors.Batch{}, 0
}

// refuse sets a record aside.
func (in *reading) refuse(r record, err error) {
	code := "format"
	switch {
	case errors.Is(err, errWire):
		code = "protobuf"
	case errors.Is(err, errTooLong):
		code = "too-long"
	}
	hash := formats.RecordHash(r.raw)
	in.batch.Quarantined = append(in.batch.Quarantined, vigil.Quarantined{
		Source: in.s.name, File: streamName(in.sig), Line: 1, Offset: place(hash ^ in.of(r)), Time: in.now,
		Code: code, Reason: "the record can't be read: " + err.Error(), Size: int64(len(r.raw)), Hash: hash,
	})
	in.count(len(in.batch.Quarantined) - 1)
}

// count counts what was set aside from place from on.
func (in *reading) count(from int) {
	aside := in.batch.Quarantined[from:]
	in.rejected += int64(len(aside))
	if in.why == "" && len(aside) > 0 {
		in.why = aside[0].Reason
	}
}

// of is a hash of what a record is of.
func (in *reading) of(r record) uint64 {
	if in.resource != r.resourceNumber {
		in.resource, in.around = r.resourceNumber, bits.RotateLeft64(formats.RecordHash(r.resource), 17)
	}
	return in.around
}

// otel puts a record among those that the format of spans reads.
func (in *reading) otel(r record, json []byte) {
	if len(json) > maxRecord {
		in.refuse(r, errLarge(len(json), maxRecord))
		return
	}
	in.docs.add(r, json)
}

// log takes a log record for what it is.
func (in *reading) log(r record) {
	hash := formats.RecordHash(r.json) ^ in.of(r)
	nth := in.seen[hash]
	in.seen[hash]++
	rec := gjson.ParseBytes(r.json)
	if in.s.bodies.Format == spanFormat {
		in.otel(r, stamped(r.json, rec, nth))
		return
	}
	body := bodyOf(rec)
	if len(bytes.TrimSpace(body)) == 0 && in.s.bodies.Format != "" {
		in.refuse(r, errors.New("it has no body to read as "+in.s.bodies.Format))
		return
	}
	stream := in.stream(r, rec)
	if in.s.bodies.Format == "" && !in.plain(stream, rec, body) {
		in.otel(r, stamped(r.json, rec, nth))
		return
	}
	aside := len(in.batch.Quarantined)
	at := place(hash + uint64(nth)*0x9e3779b97f4a7c15)
	stream.Message(at, body, in.now, &in.batch)
	in.count(aside)
}

// stream is the one that reads the bodies of the record's resource and file: what its
// decoder remembers, such as the users of connections, is theirs alone.
func (in *reading) stream(r record, rec gjson.Result) *decode.Stream {
	key := in.of(r)
	rec.Get("attributes").ForEach(func(_, pair gjson.Result) bool {
		switch pair.Get("key").Str {
		case "log.file.path", "log.file.name":
			key ^= formats.RecordHash([]byte(pair.Raw))
		}
		return true
	})
	stream, ok := in.s.streams.Get(key)
	if !ok {
		stream = decode.NewStream(&in.s.bodies, streamName(in.sig))
		in.s.streams.Put(key, stream)
	}
	return stream
}

// plain says, where no format is configured, that a record is to be read by its body: its
// attributes are not those of a bot's access, and the body is of a known format, or comes
// where such bodies came before.
func (in *reading) plain(stream *decode.Stream, rec gjson.Result, body []byte) bool {
	if len(bytes.TrimSpace(body)) == 0 || in.bot(rec) {
		return false
	}
	if stream.Format() != "" {
		return true
	}
	_, sure, err := formats.Choose(in.s.bodies.Formats, body[:min(len(body), formats.MaxSample)])
	return err == nil && sure >= surelyBody
}

// bot says whether a record's attributes are such as instrumented bots write.
func (in *reading) bot(rec gjson.Result) bool {
	attributes, name := rec.Get("attributes").Raw, rec.Get("eventName").Raw
	if attributes == "" && name == "" {
		return false
	}
	if attributes == "" {
		attributes = "[]"
	}
	if name == "" {
		name = `""`
	}
	sample := `{"spanId":"","timeUnixNano":"0","name":` + name + `,"attributes":` + attributes + `}`
	return in.s.format.Detect([]byte(sample[:min(len(sample), formats.MaxSample)])) >= surelyBot
}

// flush decodes the documents that wait. Spans come when they end, inner ones first, and
// those around them say whose they are: the last document is read first.
func (in *reading) flush() {
	docs := in.docs.take()
	events := len(in.batch.Events)
	for _, doc := range slices.Backward(docs) {
		aside := len(in.batch.Quarantined)
		in.s.otel.Message(place(formats.RecordHash(doc)), doc, in.now, &in.batch)
		// Each refused record of the document is another one.
		for i := range in.batch.Quarantined[aside:] {
			in.batch.Quarantined[aside+i].Line = int64(i + 1)
		}
		in.count(aside)
	}
	if len(docs) > 1 {
		slices.SortStableFunc(in.batch.Events[events:], func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	}
}

// stamped is a log record with its time, which is that of its being observed where it has
// no other, and with how many equal ones came before it.
func stamped(json []byte, rec gjson.Result, nth int) []byte {
	observed := rec.Get("observedTimeUnixNano").String()
	at := rec.Get("timeUnixNano").String()
	needsTime := (at == "" || at == "0") && observed != ""
	if !needsTime && nth == 0 {
		return json
	}
	out := make([]byte, 0, len(json)+64)
	out = append(out, '{')
	if needsTime {
		out = append(gjson.AppendJSONString(append(out, `"timeUnixNano":`...), observed), ',')
	}
	if nth > 0 {
		out = append(strconv.AppendInt(append(out, `"vigil.nth":`...), int64(nth), 10), ',')
	}
	rest := bytes.TrimLeft(json[1:], " \t\r\n")
	if rest[0] == '}' {
		out = out[:len(out)-1]
	}
	return append(out, rest...)
}

// documents puts records together into requests in JSON, each no larger than a decoder
// takes at once.
type documents struct {
	sig  signal
	done [][]byte
	size int // of all
	// buf is the document in hand, of the resource and scope of these numbers.
	buf             []byte
	resource, scope int
}

// add puts a record behind the others.
func (d *documents) add(r record, json []byte) {
	resources, scopes, records := d.sig.keys()
	if len(d.buf) > 0 && len(d.buf)+len(json) > docBytes {
		d.close()
	}
	switch {
	case len(d.buf) == 0:
		d.buf = append(append(append(make([]byte, 0, docBytes/4), `{"`...), resources...), `":[`...)
	case r.resourceNumber != d.resource:
		d.buf = append(d.buf, `]}]},`...)
	case r.scopeNumber != d.scope:
		d.buf = append(d.buf, `]},`...)
	default:
		d.buf = append(append(d.buf, ','), json...)
		return
	}
	if r.resourceNumber != d.resource {
		d.buf = append(appendAround(d.buf, "resource", r.resource), scopes...)
		d.buf = append(d.buf, `":[`...)
	}
	d.buf = append(appendAround(d.buf, "scope", r.scope), records...)
	d.buf = append(append(d.buf, `":[`...), json...)
	d.resource, d.scope = r.resourceNumber, r.scopeNumber
}

// appendAround begins an object with the resource or scope of a list, up to the list's name.
func appendAround(out []byte, name string, value []byte) []byte {
	out = append(out, '{')
	if len(value) > 0 {
		out = append(append(append(out, '"'), name...), `":`...)
		out = append(append(out, value...), ',')
	}
	return append(out, '"')
}

// close ends the document in hand.
func (d *documents) close() {
	if len(d.buf) > 0 {
		d.buf = append(d.buf, `]}]}]}`...)
		d.done, d.size = append(d.done, d.buf), d.size+len(d.buf)
	}
	d.buf, d.resource, d.scope = nil, 0, 0
}

// take gives the documents out.
func (d *documents) take() [][]byte {
	d.close()
	out := d.done
	d.done, d.size = nil, 0
	return out
}
