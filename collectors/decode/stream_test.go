package decode_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
)

var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func config(format string) *decode.Config {
	return &decode.Config{Source: "queue", Store: "desk", Formats: catalog.All(), Format: format}
}

func event(n int) string {
	return fmt.Sprintf(`{"time":%d,"actor":"ann","action":"read","source":"forged","subjects":["c%d"]}`, now.Unix()+int64(n), n)
}

// read decodes messages from place 0 on and returns what came of them.
func read(t *testing.T, s *decode.Stream, messages ...string) collectors.Batch {
	t.Helper()
	var b collectors.Batch
	for i, m := range messages {
		s.Message(int64(i), []byte(m), now, &b)
	}
	return b
}

func subjects(b collectors.Batch) (out []string) {
	for _, e := range b.Events {
		out = append(out, e.Subjects...)
	}
	return out
}

func codes(b collectors.Batch) (out []string) {
	for _, q := range b.Quarantined {
		out = append(out, fmt.Sprintf("%s@%d:%d", q.Code, q.Offset, q.Line))
	}
	return out
}

func TestMessages(t *testing.T) {
	t.Parallel()
	s := decode.NewStream(config(""), "orders/3")
	b := read(t, s, event(1), event(2)+"\n"+event(3)+"\n", "", "  \n")
	if diff := cmp.Diff([]string{"c1", "c2", "c3"}, subjects(b)); diff != "" {
		t.Fatal(diff)
	}
	ids := map[string]bool{}
	for _, e := range b.Events {
		if e.Source != "queue" || e.Store != "desk" || e.Origin.File != "orders/3" || !e.Received.Equal(now) {
			t.Errorf("%+v", e)
		}
		ids[e.ID] = true
	}
	if e := b.Events[2]; len(ids) != 3 || e.Origin.Offset != 1 || e.Origin.Line != 2 {
		t.Errorf("ids %v, origin %+v", ids, e.Origin)
	}
	if again := read(t, decode.NewStream(config("native"), "orders/3"), event(1)); again.Events[0].ID != b.Events[0].ID {
		t.Error("the same message read twice has two ids")
	}
	if other := read(t, decode.NewStream(config("native"), "orders/4"), event(1)); other.Events[0].ID == b.Events[0].ID {
		t.Error("messages of two streams have one id")
	}
	var elsewhere collectors.Batch
	decode.NewStream(config("native"), "orders/3").Message(7, []byte(event(1)), now, &elsewhere)
	if elsewhere.Events[0].ID == b.Events[0].ID {
		t.Error("two equal messages have one id")
	}
}

func TestPoison(t *testing.T) {
	t.Parallel()
	s := decode.NewStream(config("native"), "q")
	b := read(t, s, event(1), `{"time":`, event(2)+"\nnonsense\n"+event(3), "a\x00b", event(4))
	if diff := cmp.Diff([]string{"c1", "c2", "c3", "c4"}, subjects(b)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"json@1:1", "json@2:2", "binary@3:1"}, codes(b)); diff != "" {
		t.Error(diff)
	}
	b = read(t, s, strings.Repeat("x", 2<<20))
	if diff := cmp.Diff([]string{"too-long@0:1"}, codes(b)); diff != "" {
		t.Error(diff)
	}
	var huge collectors.Batch
	s.Message(0, bytes.Repeat([]byte("x"), decode.MaxMessage+1), now, &huge)
	if diff := cmp.Diff([]string{"too-long@0:1"}, codes(huge)); diff != "" {
		t.Error(diff)
	}
}

func TestAnotherFormatIsFound(t *testing.T) {
	t.Parallel()
	s := decode.NewStream(config(""), "q")
	nginx := `192.0.2.7 - ann [02/Nov/2026:09:00:01 +0000] "GET /api/conversations/9/messages HTTP/1.1" 200 1024 "-" "Mozilla/5.0"`
	b := read(t, s, "hello", nginx, event(1), nginx)
	if len(b.Events) != 3 || b.Events[0].Actor.ID != "ann" || b.Events[1].Subjects[0] != "c1" {
		t.Errorf("got %d events", len(b.Events))
	}
	if diff := cmp.Diff([]string{"format@0:1"}, codes(b)); diff != "" {
		t.Error(diff)
	}
	// A configured format stays.
	b = read(t, decode.NewStream(config("nginx"), "q"), event(1))
	if len(b.Events) != 0 || len(b.Quarantined) != 1 {
		t.Errorf("got %d events", len(b.Events))
	}
}

func TestLinesAreHeldForTheirContinuation(t *testing.T) {
	t.Parallel()
	s := decode.NewStream(config("native"), "q")
	var b collectors.Batch
	text := event(1)
	s.Line(4, []byte(text+"\n"), now, &b)
	if at, ok := s.Pending(); ok {
		t.Errorf("pending at %d", at)
	}
	s.Flush(now, &b)
	if len(b.Events) != 1 || b.Events[0].Origin.Offset != 4 {
		t.Errorf("%+v", b)
	}
}

// A state that another version has left keeps no message from being read.
func TestAnotherVersionsState(t *testing.T) {
	t.Parallel()
	for _, state := range []string{`{"format":"gone","state":"eA=="}`, `{"format":"postgresql","state":"eA=="}`, `{"format":"native","state":"eA=="}`} {
		for _, format := range []string{"", "native"} {
			s := decode.NewStream(config(format), "q")
			s.Restore([]byte(state))
			b := read(t, s, event(1), event(2))
			if len(b.Events) != 2 || len(b.Quarantined) != 0 {
				t.Errorf("%s, %q: %d events, set aside %v", state, format, len(b.Events), b.Quarantined)
			}
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	s := decode.NewStream(config(""), "q")
	if state, err := s.State(); err != nil || state != nil {
		t.Fatalf("%s, %v", state, err)
	}
	read(t, s, event(1))
	state, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	again := decode.NewStream(config(""), "q")
	again.Restore(state)
	if same, err := again.State(); err != nil || !bytes.Equal(same, state) {
		t.Errorf("%s, %v, want %s", same, err, state)
	}
	read(t, again, event(2))
	if again.Format() != "native" {
		t.Errorf("format %q", again.Format())
	}
}

// A state that can't be used, such as a later version's, costs what was known, is told
// once, and keeps no message from being read.
func TestStateThatCantBeUsed(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"{", `{"format":5}`, `{"format":"of-later"}`, `{"format":"postgresql","state":"e30x"}`} {
		s := decode.NewStream(config(""), "q")
		s.Restore([]byte(state))
		b := read(t, s, "2026-11-02 09:00:00.000 UTC [7] ann@desk LOG:  statement: SELECT 1 FROM customers", event(1), event(2))
		if len(b.Lapses) != 1 || b.Lapses[0].Kind != vigil.LapseReset || b.Lapses[0].Source != "queue" || !strings.Contains(b.Lapses[0].Text, `"q"`) {
			t.Errorf("%s: told: %+v", state, b.Lapses)
		}
		if len(b.Quarantined) > 0 || len(subjects(b)) != 2 {
			t.Errorf("%s: %d events, set aside: %+v", state, len(b.Events), b.Quarantined)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	if err := config("").Check(); err != nil {
		t.Error(err)
	}
	wrong := config("nginx")
	wrong.Params = map[string]map[string]string{"nginx": {"no_such": "x"}}
	for name, c := range map[string]*decode.Config{"no format": config("nope"), "no source": {Formats: catalog.All()}, "no formats": {Source: "q"}, "setting": wrong} {
		if err := c.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
