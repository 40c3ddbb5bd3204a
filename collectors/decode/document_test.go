package decode_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/text"
)

// document reads a text to its end, most records at a time.
func document(t *testing.T, format string, r io.Reader, most int, set func(*decode.Document)) (b collectors.Batch, places []int64, err error) {
	t.Helper()
	in, err := text.Open(r, new(atomic.Int64))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	d, err := decode.NewDocument(config(format), "s3://logs/a", in, decode.Hint{})
	if err != nil {
		t.Fatal(err)
	}
	set(d)
	for {
		var part collectors.Batch
		err := d.Next(now, most, 1<<20, &part)
		b.Events, b.Quarantined = append(b.Events, part.Events...), append(b.Quarantined, part.Quarantined...)
		if err != nil {
			return b, places, err
		}
		places = append(places, d.Place())
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(event(i) + "\n")
	}
	return b.String()
}

func plain(*decode.Document) {}

func TestDocumentGoesOnFromItsPlaces(t *testing.T) {
	t.Parallel()
	// One line of more than a megabyte, and lines.
	var records []string
	for i := range 5000 {
		records = append(records, fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","userName":"ann","accountId":"123456789012"},"eventTime":"2026-11-02T09:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.7","requestParameters":{"bucketName":"chats","key":"conversations/%[1]d.json"},"eventID":"00000000-0000-4000-8000-%012[1]d","eventType":"AwsApiCall"}`, i))
	}
	long := `{"Records":[` + strings.Join(records, ",") + `]}`
	for name, content := range map[string]string{"lines": lines(5000), "a document": long} {
		all, places, err := document(t, "", strings.NewReader(content), 500, plain)
		if !errors.Is(err, io.EOF) || len(all.Quarantined) > 0 || len(places) < 3 {
			t.Fatalf("%s: %v, %d set aside, %d places", name, err, len(all.Quarantined), len(places))
		}
		rest, _, _ := document(t, "", strings.NewReader(content), 500, func(d *decode.Document) { d.Skip(places[2]) })
		ids := map[string]bool{}
		for _, e := range rest.Events {
			ids[e.ID] = true
			if e.Origin.Offset < places[2] {
				t.Fatalf("%s: a record at %d came again", name, e.Origin.Offset)
			}
		}
		for _, e := range all.Events {
			if !ids[e.ID] && e.Origin.Offset >= places[2] {
				t.Fatalf("%s: the record at %d did not come", name, e.Origin.Offset)
			}
		}
		// A batch that held the third place's events and all before makes the whole.
		if missing := len(all.Events) - len(rest.Events); missing < 1000 || missing == len(all.Events) {
			t.Errorf("%s: %d of %d records were left out", name, missing, len(all.Events))
		}
	}
}

func TestDocumentThatGrows(t *testing.T) {
	t.Parallel()
	whole := lines(40)
	first, _, err := document(t, "", strings.NewReader(whole[:len(whole)/2]), 500, (*decode.Document).Growing)
	if !errors.Is(err, decode.ErrGrowing) || len(first.Quarantined) > 0 || len(first.Events) < 15 {
		t.Fatalf("%v, %d events, %v", err, len(first.Events), first.Quarantined)
	}
	all, _, err := document(t, "", strings.NewReader(whole), 500, (*decode.Document).Growing)
	if !errors.Is(err, io.EOF) || len(all.Events) != 40 {
		t.Fatalf("%v, %d events", err, len(all.Events))
	}
	for i, e := range first.Events {
		if all.Events[i].ID != e.ID {
			t.Errorf("record %d has another id since its document has grown", i)
		}
	}
	if _, _, err := document(t, "", strings.NewReader(whole[:20]), 500, (*decode.Document).Growing); !errors.Is(err, decode.ErrGrowing) {
		t.Errorf("half a line: %v", err)
	}
}

// breaking fails after a text.
type breaking struct{ io.Reader }

var errBroken = errors.New("the connection broke")

func (b breaking) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errBroken
	}
	return n, err
}

func TestDocumentThatBreaksOff(t *testing.T) {
	t.Parallel()
	whole := lines(40)
	b, _, err := document(t, "native", breaking{strings.NewReader(whole[:len(whole)-20])}, 500, plain)
	if !errors.Is(err, errBroken) || len(b.Events) != 39 || len(b.Quarantined) > 0 {
		t.Errorf("%v, %d events, %v", err, len(b.Events), b.Quarantined)
	}
}

func TestDocumentsOfAllSorts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		events  int
		codes   []string
	}{
		"nothing":        {"", 0, nil},
		"blank":          {" \n\n\r\n", 0, nil},
		"far below":      {strings.Repeat("\n", 100_000) + lines(2), 2, nil},
		"a mark":         {"\xef\xbb\xbf" + lines(2), 2, nil},
		"a hole first":   {strings.Repeat("\x00", 70_000) + lines(2), 2, []string{"binary"}},
		"a hole within":  {lines(2) + strings.Repeat("\x00", 70_000) + lines(1), 3, []string{"binary"}},
		"prose":          {"dear diary,\nnothing happened\n", 0, []string{"format"}},
		"half a record":  {lines(2) + `{"time":`, 2, []string{"json"}},
		"no line end":    {strings.TrimSpace(lines(2)), 2, nil},
		"NUL in a line":  {lines(2) + "{\x00}\n" + lines(1), 3, []string{"binary"}},
		"a line of 2 MB": {lines(2) + strings.Repeat("x", 2<<20) + "\n" + lines(1), 3, []string{"too-long"}},
	} {
		b, _, err := document(t, "", strings.NewReader(c.content), 500, plain)
		if !errors.Is(err, io.EOF) || len(b.Events) != c.events {
			t.Errorf("%s: %v, %d events, want %d", name, err, len(b.Events), c.events)
		}
		var got []string
		for _, q := range b.Quarantined {
			got = append(got, q.Code)
			if q.Reason == "" || q.File != "s3://logs/a" {
				t.Errorf("%s: %+v", name, q)
			}
		}
		if diff := cmp.Diff(c.codes, got); diff != "" {
			t.Error(fmt.Sprintf("%s: ", name), diff)
		}
	}
}
