// Package salesforce reads Salesforce's event log files from its API: the object
// EventLogFile lists them, and each is downloaded as comma-separated values, row by row,
// whatever its size.
//
// Files are read in the order of their creation. What Salesforce writes late is in files
// of their own with a higher sequence number, which are created late and so found; the
// list is asked for again from an overlap before the latest file on. Rows that stand in
// several files count once, by an id that the format makes of their content.
//
// A batch has at most a thousand lines. Its position names the file and the line, so that
// a restart downloads that file again and goes on behind it. What waits in a batch is all
// that is held. One goroutine runs it.
package salesforce

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/rest"
)

const (
	// batchLines and batchBytes bound what is handed over at once.
	batchLines = 1000
	batchBytes = 4 << 20
	// maxAgain bounds how often a list is begun again since its cursor was refused.
	maxAgain = 3
	// maxPages bounds the pages of a list, of up to 2,000 files each.
	maxPages = 1000
	// keepEvery is how often the position is kept where nothing comes.
	keepEvery = 10 * time.Minute
	// skewTold is from which difference of clocks on it is told.
	skewTold = time.Minute
)

// Salesforce is a collector.
type Salesforce struct {
	cfg    Config
	client *rest.Client
	now    func() time.Time
}

// position is what is kept, below 64 KiB.
type position struct {
	// Created is the creation of the latest file that was read.
	Created time.Time `json:"created,omitzero"`
	// Read are the files that were read lately.
	Read []uint64 `json:"read,omitempty"`
	// File is the one that is being read, and Line the next of its lines.
	File   uint64 `json:"file,omitempty"`
	Line   int64  `json:"line,omitempty"`
	Skewed bool   `json:"skewed,omitempty"`
}

// sound says whether it is one that we wrote.
func (p *position) sound() bool {
	return !p.Created.IsZero() || len(p.Read) > 0 || p.File != 0 || p.Skewed
}

// run is one run.
type run struct {
	*Salesforce
	sink collectors.Sink
	pos  position
	read readFiles
	kept time.Time
}

// Check asks for one file's description and says what is missing.
func (s *Salesforce) Check(ctx context.Context) error {
	_, _, err := s.list(ctx, s.query(s.client.Now().Add(-s.cfg.Start), 1))
	return err
}

// Run looks for new files and reads them until ctx ends.
func (s *Salesforce) Run(ctx context.Context, text []byte, sink collectors.Sink) error {
	r := &run{Salesforce: s, sink: sink, kept: s.now()}
	if p := collectors.Position(s.cfg.Decode.Source, text, s.client.Logger(), (*position).sound); p != nil {
		r.pos = *p
	}
	for _, key := range r.pos.Read[:min(len(r.pos.Read), maxRead)] {
		r.read.add(key)
	}
	defer s.client.Close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := r.look(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		timer.Reset(s.cfg.Poll)
	}
}

// look reads all files that were not read.
func (r *run) look(ctx context.Context) error {
	since := func() time.Time {
		if r.pos.Created.IsZero() {
			return r.client.Now().Add(-r.cfg.Start)
		}
		return r.pos.Created.Add(-r.cfg.Overlap)
	}
	address, again, pages := r.query(since(), 0), 0, 0
	visited := map[string]bool{}
	for address != "" {
		files, next, err := r.list(ctx, address)
		if pages > 0 && rest.RefusedCursor(err) && again < maxAgain {
			// The list has aged while files were read: what was read is known.
			again++
			address, pages = r.query(since(), 0), 0
			clear(visited)
			continue
		}
		if err != nil {
			return err
		}
		if err := r.clocks(ctx); err != nil {
			return err
		}
		for _, f := range files {
			if r.read.has(f.key) {
				continue
			}
			if err := r.file(ctx, f); err != nil {
				return err
			}
		}
		pages++
		if visited[next] || pages >= maxPages {
			return r.hand(ctx, &collectors.Batch{Lapses: []vigil.Lapse{r.lapse(vigil.LapseHole, since(),
				"Salesforce gives the same pages of its list of event log files again and again, or no end of them: some files may be missing. Tell its support.")}})
		}
		visited[next] = true
		address = next
	}
	if r.now().Sub(r.kept) >= keepEvery {
		return r.hand(ctx, &collectors.Batch{})
	}
	return nil
}

// clocks tells once that the server's clock and ours differ.
func (r *run) clocks(ctx context.Context) error {
	skew, ok := r.client.Skew()
	if !ok || (skew.Abs() > skewTold) == r.pos.Skewed {
		return nil
	}
	r.pos.Skewed = !r.pos.Skewed
	if !r.pos.Skewed {
		return nil
	}
	return r.hand(ctx, &collectors.Batch{Lapses: []vigil.Lapse{r.lapse(vigil.LapseClock, r.now(),
		fmt.Sprintf("The clocks of Salesforce and of this machine differ by %s; set this machine's by NTP.", skew.Abs().Round(time.Second)))}})
}

func (r *run) lapse(kind vigil.LapseKind, from time.Time, text string) vigil.Lapse {
	now := r.now().UTC()
	if from.IsZero() || from.After(now) {
		from = now
	}
	return vigil.Lapse{Source: r.cfg.Decode.Source, Kind: kind, Start: from.UTC(), End: now, Missing: vigil.Unknown, Text: text}
}

// file downloads one file and hands its rows over.
func (r *run) file(ctx context.Context, f logFile) error {
	if r.pos.File != f.key {
		r.pos.File, r.pos.Line = f.key, 0
	}
	body, _, _, err := r.client.Stream(ctx, "/services/data/"+apiVersion+"/sobjects/EventLogFile/"+f.id+"/LogFile")
	var gone *rest.StatusError
	switch {
	case errors.As(err, &gone) && gone.Status == http.StatusNotFound:
		b := &collectors.Batch{Lapses: []vigil.Lapse{r.lapse(vigil.LapseDropped, f.day,
			"Salesforce no longer has an event log file of "+f.kind+" that it listed: its rows are gone. If that happens often, shorten poll.")}}
		return r.done(ctx, f, b)
	case err != nil:
		return fmt.Errorf("download an event log file: %w", err)
	}
	defer body.Close()
	rd := &rows{r: bufio.NewReaderSize(body, 64<<10)}
	return r.rows(ctx, f, rd)
}

// rows reads a file's lines, past those that were handed over before.
func (r *run) rows(ctx context.Context, f logFile, rd *rows) error {
	stream := decode.NewStream(&r.cfg.Decode, f.kind+"/"+f.id)
	b := &collectors.Batch{}
	resume, size := r.pos.Line, 0
	for n := int64(0); ; n++ {
		line, err := rd.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("download an event log file: %w", err)
		}
		if err != nil {
			break
		}
		if n == 0 && !r.names(line) {
			b.Quarantined = append(b.Quarantined, vigil.Quarantined{
				Source: r.cfg.Decode.Source, File: f.kind + "/" + f.id, Line: 1, Time: r.now().UTC(), Code: "format", Size: f.length, Hash: f.key,
				Reason: "the download is no event log file: its first line names no columns of one. Download it by hand to see what Salesforce says",
			})
			return r.done(ctx, f, b)
		}
		// The column names come first, also where the rest was read before.
		if n > 0 && n < resume {
			continue
		}
		received := r.now().UTC()
		stream.Line(n, line, received, b)
		size += len(line)
		if b.Len() >= batchLines || (n-resume)%batchLines == batchLines-1 || size >= batchBytes {
			next := n + 1
			if at, held := stream.Pending(); held {
				next = at
			}
			if next > r.pos.Line {
				r.pos.Line = next
			}
			if err := r.hand(ctx, b); err != nil {
				return err
			}
			b, size = &collectors.Batch{}, 0
		}
	}
	stream.Flush(r.now().UTC(), b)
	if rd.size < f.length {
		b.Lapses = append(b.Lapses, r.lapse(vigil.LapseHole, f.day, fmt.Sprintf(
			"An event log file of %s has %d bytes fewer than Salesforce says: rows are missing at its end. Download it by hand to compare.", f.kind, f.length-rd.size)))
	}
	return r.done(ctx, f, b)
}

// names reports whether a file's first line names the columns of an event log file, where
// it is read as one.
func (r *run) names(line []byte) bool {
	return r.cfg.Decode.Format != "salesforce" || bytes.Contains(line[:min(len(line), 64<<10)], []byte("EVENT_TYPE"))
}

// done hands over the last of a file, with a position behind it.
func (r *run) done(ctx context.Context, f logFile, b *collectors.Batch) error {
	r.read.add(f.key)
	r.pos.File, r.pos.Line = 0, 0
	if f.created.After(r.pos.Created) {
		r.pos.Created = f.created
	}
	return r.hand(ctx, b)
}

// hand gives a batch to the sink, with the position behind it.
func (r *run) hand(ctx context.Context, b *collectors.Batch) error {
	b.Source = r.cfg.Decode.Source
	r.pos.Read = r.read.latest()
	var err error
	if b.Position, err = json.Marshal(r.pos); err != nil {
		return fmt.Errorf("write the position: %w", err)
	}
	if err := r.sink.Accept(ctx, *b); err != nil {
		return fmt.Errorf("hand over %d events: %w", len(b.Events), err)
	}
	r.kept = r.now()
	return nil
}

// rows cuts a download into lines. A line longer than a message may be is cut off just
// beyond that, so that it is set aside.
type rows struct {
	r    *bufio.Reader
	buf  []byte
	size int64
}

func (rd *rows) next() ([]byte, error) {
	rd.buf = rd.buf[:0]
	some := false
	for {
		part, err := rd.r.ReadSlice('\n')
		rd.size += int64(len(part))
		some = some || len(part) > 0
		if room := decode.MaxMessage + 1 - len(rd.buf); len(part) > room {
			part = part[:max(room, 0)]
		}
		rd.buf = append(rd.buf, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && some:
			return rd.buf, nil
		case err != nil:
			return nil, err
		default:
			return bytes.TrimRight(rd.buf, "\r\n"), nil
		}
	}
}

// remedy says what a refusal means.
func remedy(e *rest.StatusError) string {
	switch {
	case e.Path == tokenPath && e.Code == "invalid_grant":
		return "give the app a user to run as (client credentials flow), or authorise the username in advance (JWT bearer flow), and check audience and this machine's clock"
	case e.Path == tokenPath:
		return "check client_id and client_secret or private_key, that the app's flow is switched on, and that url is the organisation's My Domain address"
	case e.Code == "INVALID_TYPE" || e.Code == "INVALID_FIELD":
		return "the user sees no EventLogFile: give it View Event Log Files and API Enabled; the organisation needs Event Monitoring"
	case e.Code == "REQUEST_LIMIT_EXCEEDED":
		return "the organisation's API requests of the day are used up"
	case e.Code == "API_DISABLED_FOR_ORG" || e.Code == "API_CURRENTLY_DISABLED":
		return "the organisation or the user has no API access: give API Enabled"
	case e.Status == http.StatusUnauthorized:
		return "the session is not valid: does the app's session policy or an IP restriction keep vigil out?"
	case e.Status == http.StatusForbidden:
		return "give the user View Event Log Files and API Enabled"
	case e.Status == http.StatusNotFound:
		return "is url the organisation's My Domain address?"
	}
	return ""
}
