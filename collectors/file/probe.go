package file

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors/formats"
)

// The first look at a file's times: in so many places, so much in each.
const (
	probePlaces = 12
	probeBytes  = 16 << 10
	// probeUnpack bounds what is unpacked to look into an archive; what lies
	// beyond is not looked at beforehand.
	probeUnpack = 128 << 20
	// lateShare is the share of events far behind their predecessors from which
	// a stream is sorted; fewer pass on and are counted as late.
	lateShare = 0.01
)

// probe is what a first look tells of a file's times.
type probe struct {
	order Order
	// first and last are the oldest and the newest time seen, zero when no
	// event was; last may lie before the file's true end.
	first, last time.Time
}

// probeTimes looks at the start of m and, where the file can be read twice, at
// places all over it.
func probeTimes(m *member, in *input, dec formats.Decoder) probe {
	chunks := [][]byte{m.sample}
	if m.regular {
		switch {
		case m.packed == packedPlain && !in.UTF16:
			chunks = append(chunks, plainChunks(m)...)
		default:
			chunks = append(chunks, packedChunks(m)...)
		}
	}
	var times []time.Time
	for i, chunk := range chunks {
		times = append(times, timesOf(dec, chunk, i > 0)...)
	}
	return judge(times)
}

// plainChunks reads places of a plain file that lie beyond its sample.
func plainChunks(m *member) [][]byte {
	in, err := openInput(m.path, new(atomic.Int64))
	if err != nil {
		return nil
	}
	defer in.Close()
	var chunks [][]byte
	rest := m.size - sampleLength
	if rest <= 0 {
		return nil
	}
	// The places must not overlap: time would seem to go back where they do.
	places := min(probePlaces, (rest+probeBytes-1)/probeBytes)
	for i := range places {
		chunk := make([]byte, probeBytes)
		at := int64(sampleLength)
		if i > 0 {
			at += (rest - probeBytes) * i / (places - 1)
			at = max(at, sampleLength+probeBytes*i)
		}
		n, _ := in.file.ReadAt(chunk, at)
		chunks = append(chunks, chunk[:n])
	}
	return chunks
}

// packedChunks unpacks an archive up to a bound and keeps places at doubling
// distances, and the last one.
func packedChunks(m *member) [][]byte {
	in, err := openInput(m.path, new(atomic.Int64))
	if err != nil {
		return nil
	}
	defer in.Close()
	text := io.LimitReader(in.Text, probeUnpack)
	var chunks [][]byte
	buf := make([]byte, 256<<10)
	var tail []byte
	var at int64
	for next := int64(sampleLength + probeBytes); ; {
		n, err := io.ReadFull(text, buf)
		switch {
		case n < probeBytes && at > 0:
		case at+int64(n) > next:
			chunks = append(chunks, slices.Clone(buf[n-probeBytes:n]))
			next = max(2*next, at+int64(n))
			tail = tail[:0]
		default:
			from := max(n-probeBytes, min(n, int(sampleLength-at)))
			tail = append(tail[:0], buf[from:n]...)
		}
		at += int64(n)
		if err != nil {
			break
		}
	}
	return append(chunks, tail)
}

// timesOf decodes the whole lines of a chunk and returns their events' times.
// amid says that the chunk starts somewhere within a line.
func timesOf(dec formats.Decoder, chunk []byte, amid bool) []time.Time {
	if amid {
		i := bytes.IndexByte(chunk, '\n')
		if i < 0 {
			return nil
		}
		chunk = chunk[i+1:]
	}
	var times []time.Time
	emit := func(e *vigil.Event, _ formats.Line) { times = append(times, e.Time) }
	lines := newLineReader(bufio.NewReader(bytes.NewReader(chunk)), 0, 0)
	lines.Pieces = formats.TakesPieces(dec)
	for {
		rec, err := lines.Next()
		if err != nil {
			break
		}
		if rec.Whole && !rec.Cut && rec.NULs == 0 {
			// What can't be decoded is found again, and told, in the reading proper.
			_ = dec.Decode(rec.Line, emit)
		}
	}
	_ = dec.Flush(emit)
	return times
}

// judge tells the order of a sequence of times.
func judge(times []time.Time) probe {
	if len(times) == 0 {
		return probe{}
	}
	up, down := 0, 0
	for i := 1; i < len(times); i++ {
		switch times[i].Compare(times[i-1]) {
		case 1:
			up++
		case -1:
			down++
		}
	}
	order := OldestFirst
	if down > 4*up {
		order = NewestFirst
	}
	kept := trusted(times, order == NewestFirst)
	late := 0
	edge := kept[0]
	for _, t := range kept {
		if order == NewestFirst {
			if t.After(edge.Add(reorderWindow)) {
				late++
			}
			edge = earlier(edge, t)
			continue
		}
		if t.Before(edge.Add(-reorderWindow)) {
			late++
		}
		if t.After(edge) {
			edge = t
		}
	}
	if float64(late) > lateShare*float64(len(kept)) {
		order = Unordered
		kept = times
	}
	return probe{order: order, first: slices.MinFunc(kept, time.Time.Compare), last: slices.MaxFunc(kept, time.Time.Compare)}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// trusted returns the times without those of a wrong clock.
func trusted(times []time.Time, backwards bool) []time.Time {
	var kept []time.Time
	c := clockFilter{
		backwards: backwards,
		pass:      func(e *vigil.Event) { kept = append(kept, e.Time) },
		refuse:    func(*vigil.Event, string) {},
	}
	for _, t := range times {
		c.add(&vigil.Event{Time: t})
	}
	c.flush()
	if len(kept) == 0 {
		return times
	}
	return kept
}
