package file

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
)

// fill sets every field of v to something that is not its zero value, so that a
// field added to the event and forgotten in the codec is found.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Int8:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1793610845+int64(*n), 123).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("no way to fill a " + v.Kind().String())
	}
}

func TestCodecKeepsEveryField(t *testing.T) {
	t.Parallel()
	var full vigil.Event
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	for _, want := range []*vigil.Event{&full, vigil.NewEvent(), {Time: time.Unix(-5, 9).UTC(), Subjects: []string{}}} {
		b := appendEvent(nil, want)
		c := cursor{b: b, intern: func(b []byte) string { return string(b) }}
		got, err := c.event()
		if err != nil {
			t.Fatal(err)
		}
		if want.Time.IsZero() {
			want.Time = got.Time
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for cut := range b {
			c := cursor{b: b[:cut], intern: func(b []byte) string { return string(b) }}
			if _, err := c.event(); err == nil {
				t.Fatalf("cut at %d of %d passes", cut, len(b))
			}
		}
	}
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/l/help.log": "/l/help.log", "/l/help.log.1": "/l/help.log", "/l/help.log.12.gz": "/l/help.log",
		"/l/help.log-20261102": "/l/help.log", "/l/help.log-20261102.zst": "/l/help.log", "/l/help-2026-11-02.log": "/l/help.log",
		"/l/help-2026-11-02T09.log.gz": "/l/help.log", "/l/help-2026-11-02_090000.log": "/l/help.log", "/l/help.log.2026-11-02.1": "/l/help.log",
		"/l/help.log.old": "/l/help.log", "/l/help.csv.3": "/l/help.csv", "help.log.gz": "help.log",
		"/l/host-10.0.0.1": "/l/host-10.0.0.1", "/l/v2": "/l/v2", "/l/2026-11-02.log": "/l/2026-11-02.log", "/l/.1": "/l/.1",
	} {
		if got := familyOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
