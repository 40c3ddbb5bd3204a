package rest_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/api/rest"
)

// Once implements api.Once in memory.
func (s *store) Answered(_ context.Context, key string) (api.DoneOnce, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.kept[key]
	return d, ok, nil
}

func (s *store) KeepAnswer(_ context.Context, key string, d api.DoneOnce) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[key] = d
	return nil
}

func TestWriteOfOneKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := newStore(1)
	h := serving(t, rest.Config{}, s)
	const path, word = "/api/v1/findings/f-000/verdict", `{"word":"breach"}`
	first := ask(t, h, "PUT", path, word, rest.OnceHeader, "k-1")
	again := ask(t, h, "PUT", path, word, rest.OnceHeader, "k-1")
	if first.code != 200 || again.code != 200 || first.body != again.body || len(s.said) != 1 {
		t.Errorf("%d and %d, said %d times", first.code, again.code, len(s.said))
	}
	for name, x := range map[string][3]string{
		"another body":    {"PUT", path, `{"word":"misuse"}`},
		"another address": {"PUT", "/api/v1/findings/f-001/verdict", word},
		"another method":  {"DELETE", path, word},
	} {
		if got := ask(t, h, x[0], x[1], x[2], rest.OnceHeader, "k-1"); got.code != 422 && x[0] != "DELETE" || x[0] == "DELETE" && got.code != 400 {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
	if ask(t, h, "PUT", path, word, rest.OnceHeader, "k-2"); len(s.said) != 2 {
		t.Errorf("another key: said %d times", len(s.said))
	}
	for _, key := range []string{"", "a b", "ä", string(make([]byte, 129))} {
		if got := ask(t, h, "PUT", path, word, rest.OnceHeader, key); got.code != 400 {
			t.Errorf("key %q: %d", key, got.code)
		}
	}
	// What failed is tried again.
	if got := ask(t, h, "PUT", "/api/v1/findings/gone/verdict", word, rest.OnceHeader, "k-3"); got.code != 404 {
		t.Errorf("a finding gone: %d", got.code)
	}
	if got := ask(t, h, "PUT", path, word, rest.OnceHeader, "k-3"); got.code != 200 {
		t.Errorf("after a failure: %d", got.code)
	}
}

// slow counts how often it is asked, and answers when it is let.
type slow struct {
	api.Decider
	asked atomic.Int64
	let   chan struct{}
	deeds sync.Map
}

func (s *slow) Decide(ctx context.Context, x api.Saying) (vigil.Verdict, error) {
	s.asked.Add(1)
	s.deeds.Store(api.DeedOf(ctx), true)
	<-s.let
	return vigil.Verdict{Finding: x.Finding, Word: x.Word}, nil
}

func TestTwoOfOneKeyAtOnceAreDoneOnce(t *testing.T) {
	t.Parallel()
	s := newStore(1)
	d := &slow{let: make(chan struct{})}
	s.Decider = d
	h := servingWith(t, rest.Services{Reader: s, Decider: d, Once: s})
	codes := make(chan int, 20)
	for range cap(codes) {
		go func() {
			codes <- ask(t, h, "PUT", "/api/v1/findings/f-000/verdict", `{"word":"breach"}`, rest.OnceHeader, "k").code
		}()
	}
	close(d.let)
	for range cap(codes) {
		if code := <-codes; code != 200 {
			t.Errorf("status %d", code)
		}
	}
	if n := d.asked.Load(); n != 1 {
		t.Errorf("done %d times", n)
	}
	if _, ok := d.deeds.Load(""); ok {
		t.Error("the deed has no name")
	}
}
