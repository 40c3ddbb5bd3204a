package redis_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/redis"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, redis.New(), "testdata")
}

// Who is behind an address is known after a restart.
func TestClientsSurviveARestart(t *testing.T) {
	t.Parallel()
	f := redis.New()
	before, err := f.New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, string(e.Action)+" "+e.Actor.ID) }
	give := func(d formats.Decoder, text string) {
		if err := d.Decode(formats.Line{Text: []byte(text)}, emit); err != nil {
			t.Error(err)
		}
	}
	give(before, "id=3 addr=198.51.100.7:51234 name=desk cmd=get user=maria")
	state, err := before.State()
	if err != nil {
		t.Fatal(err)
	}
	after, err := f.New(formats.Options{})
	if err == nil {
		err = after.Restore(state)
	}
	if err != nil {
		t.Fatal(err)
	}
	give(after, `1793610845.123456 [0 198.51.100.7:51234] "get" "a"`)
	if strings.Join(got, ",") != "read maria" {
		t.Errorf("got %v", got)
	}
}

func TestAMappingThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	_, err := redis.New().New(formats.Options{Mapping: &formats.Mapping{Paths: []formats.Path{{Template: "a:{who}"}}}})
	if err == nil || !strings.Contains(err.Error(), "a:{who}") {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*/input*")
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	mapping := &formats.Mapping{Paths: []formats.Path{{Template: "customer:{subject}:*"}, {Template: "customer:{subject}"}}}
	format := redis.New()
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, format, formats.Options{Mapping: mapping}, input)
	})
}

func BenchmarkMonitor(b *testing.B) {
	line := []byte(`1793610845.300000 [0 198.51.100.7:51234] "LRANGE" "conversation:42:messages" "0" "49"`)
	dec, err := redis.New().New(formats.Options{Mapping: &formats.Mapping{Paths: []formats.Path{{Template: "conversation:{conversation}:messages"}}}})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if err := dec.Decode(formats.Line{Text: line}, func(*vigil.Event, formats.Line) {}); err != nil {
			b.Fatal(err)
		}
	}
}
