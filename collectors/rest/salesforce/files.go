package salesforce

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil/collectors/formats"
	"vigil/collectors/rest"
)

// logFile is an event log file, as the object EventLogFile describes it.
type logFile struct {
	id, kind string
	length   int64
	created  time.Time
	// day is the hour or day whose events it holds.
	day time.Time
	// key tells it apart from all others, and from what it was when it was shorter.
	key uint64
}

// recordID is what an id looks like.
var recordID = regexp.MustCompile(`^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$`)

// query is the address of the list of files created since.
func (s *Salesforce) query(since time.Time, most int) string {
	var b strings.Builder
	b.WriteString("SELECT Id, EventType, LogDate, LogFileLength, Sequence, CreatedDate FROM EventLogFile WHERE Interval = '")
	b.WriteString(map[string]string{Hourly: "Hourly", Daily: "Daily"}[s.cfg.Interval])
	b.WriteString("' AND CreatedDate >= " + since.UTC().Format("2006-01-02T15:04:05Z"))
	if len(s.cfg.Events) > 0 {
		b.WriteString(" AND EventType IN ('" + strings.Join(s.cfg.Events, "', '") + "')")
	}
	b.WriteString(" ORDER BY CreatedDate ASC")
	if most > 0 {
		b.WriteString(" LIMIT " + strconv.Itoa(most))
	}
	return rest.Query("/services/data/"+apiVersion+"/query", "q", b.String())
}

// list reads one page of the list of files. next is the address of the following one.
func (s *Salesforce) list(ctx context.Context, address string) (files []logFile, next string, err error) {
	a, err := s.client.Get(ctx, address)
	if err != nil {
		return nil, "", fmt.Errorf("list event log files: %w", err)
	}
	return parseList(s.client, a)
}

func parseList(c *rest.Client, a *rest.Answer) (files []logFile, next string, err error) {
	records, v, err := c.List(a, "records")
	if err != nil {
		return nil, "", fmt.Errorf("list event log files: %w", err)
	}
	for i := range records {
		r := v.Get("records." + strconv.Itoa(i))
		f := logFile{id: r.Get("Id").Str, kind: r.Get("EventType").Str, length: r.Get("LogFileLength").Int()}
		var ok1 bool
		f.created, ok1 = parseTime(r.Get("CreatedDate").Str)
		f.day, _ = parseTime(r.Get("LogDate").Str)
		if !recordID.MatchString(f.id) || !ok1 {
			return nil, "", fmt.Errorf("list event log files: %s's answer describes a file without an id or a time of creation", c.Product())
		}
		if !eventType.MatchString(f.kind) {
			f.kind = "file"
		}
		f.key = formats.RecordHash([]byte(f.id + "/" + strconv.FormatInt(f.length, 10) + "/" + r.Get("Sequence").Raw))
		files = append(files, f)
	}
	if !v.Get("done").Bool() {
		next = v.Get("nextRecordsUrl").Str
	}
	return files, next, nil
}

// parseTime reads a time as the API writes it: 2026-11-02T09:00:00.000+0000.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05.000-0700", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

const (
	// maxRead bounds the files that are remembered as read, and those of a position.
	maxRead = 8192
	keptIDs = 2048
)

// readFiles remembers files that were read. One that is forgotten is read again if it is
// still listed, and its rows count once by their ids.
type readFiles struct {
	known map[uint64]struct{}
	order []uint64
}

func (r *readFiles) has(key uint64) bool {
	_, ok := r.known[key]
	return ok
}

func (r *readFiles) add(key uint64) {
	if r.has(key) {
		return
	}
	if r.known == nil {
		r.known = map[uint64]struct{}{}
	}
	if len(r.order) >= maxRead {
		delete(r.known, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
	r.known[key] = struct{}{}
	r.order = append(r.order, key)
}

// latest are those for a position.
func (r *readFiles) latest() []uint64 { return r.order[max(0, len(r.order)-keptIDs):] }
