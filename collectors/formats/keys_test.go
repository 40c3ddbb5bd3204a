package formats_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	m := &formats.Mapping{Paths: []formats.Path{
		{Template: "/api/{tenant}/x"}, // a URL's, not for keys
		{Template: "conversation:{conversation}:messages", Resource: "messages", Class: "chat"},
		{Template: "t{tenant}.u{subject}.*"},
		{Template: "{subject}", Resource: "profile"},
		{Template: "cache/**"},
	}}
	keys, err := formats.NewKeys(m)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"conversation:42:messages":   "messages [] [42]",
		"conversation:{42}:messages": "messages [] [42]",
		"conversation::messages":     "",
		"conversation:4:2:messages":  "",
		"conversation:42:messages:x": "",
		"t7.u12.following":           "t{tenant}.u{subject}.* [12] []",
		"{9f}":                       "profile [9f] []",
		"cache/a/b:c":                "cache/** [] []",
		"api/1/x":                    "",
		"":                           "",
	} {
		var found formats.Found
		p, ok := keys.Match(key, &found)
		got := ""
		if ok {
			got = fmt.Sprint(p.Resource, " ", found.Subjects, " ", found.Conversations)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
	for _, bad := range []formats.Path{{Template: "a:{who}"}, {Template: "a**b"}, {Template: "a:{subject}{tenant}"}, {Template: "a:*", Action: "look"}} {
		if _, err := formats.NewKeys(&formats.Mapping{Paths: []formats.Path{bad}}); err == nil || !strings.Contains(err.Error(), bad.Template) {
			t.Errorf("%q: %v", bad.Template, err)
		}
	}
}

func TestGeneralNames(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"conversation:42:messages":               "conversation:*:*",
		"user1000":                               "user{id}",
		"{user1000}.following":                   "user{id}.following",
		"oauth2:token":                           "oauth2:*",
		"0b9f4a1c-88aa-4c1e-9f00-1234567890ab:x": "{id}:*",
		"maria@example.com":                      "{id}",
		"deadbeef":                               "deadbeef",
		"a/b/c/d/e/f/g/h/i/j/k/l":                "a/*/*/*/*/*/*/***",
		"":                                       "",
	} {
		if got := formats.GeneralKey(key); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	var f formats.Found
	for _, v := range []string{"7", "7", "8", "", strings.Repeat("x", 300), "\x1b[31m9"} {
		f.Add(formats.MeansSubject, v)
	}
	f.Add(formats.MeansConversation, "1")
	f.Add(formats.MeansTenant, "a")
	f.Add(formats.MeansTenant, "b")
	f.Add(formats.MeansLimit, "5")
	e := vigil.NewEvent()
	f.Fill(e, true)
	want := vigil.NewEvent()
	want.Subjects, want.SubjectCount, want.Conversation = []string{"7", "8", "9"}, 3, "1"
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	b := formats.NewBounded[string, int](2)
	b.Put("a", 1)
	b.Put("b", 2)
	b.Get("a")
	b.Put("c", 3)
	var got []string
	for k, v := range b.All() {
		got = append(got, fmt.Sprint(k, v))
	}
	if diff := cmp.Diff([]string{"a1", "c3"}, got); diff != "" {
		t.Error(diff)
	}
	b.Delete("a")
	if _, ok := b.Get("a"); ok || b.Len() != 1 {
		t.Error("a is still there")
	}
	b.Clear()
	if b.Len() != 0 {
		t.Error("not empty")
	}
}
