package alertstest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigil/alerts"
)

// runFaults lets the service misbehave, then be well.
func runFaults(t *testing.T, s Suite) {
	t.Helper()
	for _, f := range faults(s.Reads) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if why := s.Leave[f.name]; why != "" {
				t.Skip(why)
			}
			srv, _, n := start(t, s)
			srv.fail(f.handle)
			_, err := n.Notify(t.Context(), Samples()["case-new"])
			check(t, f, err)
			srv.fail(nil)
			if _, err := n.Notify(t.Context(), Samples()["case-new"]); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		srv := newServer(t, s.Handler(t))
		gone := &Server{URL: unused(t), Timeout: srv.Timeout, Logger: srv.Logger}
		_, err := s.New(t, gone).Notify(t.Context(), Samples()["case-new"])
		check(t, fault{}, err)
		var retry *alerts.RetryError
		if errors.As(err, &retry) && retry.InDoubt {
			t.Error("what was never sent is in doubt")
		}
	})
}

// check compares an error with what a fault must become.
func check(t *testing.T, f fault, err error) {
	t.Helper()
	if err == nil {
		if f.want != mayDo {
			t.Error("no error")
		}
		return
	}
	fits(t, err)
	var retry *alerts.RetryError
	var refused *alerts.RefusedError
	isRetry, isRefused := errors.As(err, &retry), errors.As(err, &refused)
	switch f.want {
	case mustRetry:
		if !isRetry {
			t.Errorf("got %T %v, want a RetryError", err, err)
		} else if retry.After != f.after || f.doubt && !retry.InDoubt {
			t.Errorf("after %v, in doubt %v; want %v, %v", retry.After, retry.InDoubt, f.after, f.doubt)
		}
	case mustRefuse, mustRefuseAll:
		if !isRefused {
			t.Errorf("got %T %v, want a RefusedError", err, err)
		} else if refused.All != (f.want == mustRefuseAll) || refused.Remedy == "" {
			t.Errorf("all %v, remedy %q", refused.All, refused.Remedy)
		}
	default:
		if !isRetry && !isRefused {
			t.Errorf("got %T %v, want one of the pipeline's errors", err, err)
		}
	}
}

// refusals are the channel's own.
func refusals(t *testing.T, s Suite) {
	t.Helper()
	for _, r := range s.Refusals {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			srv, _, n := start(t, s)
			srv.fail(r.Answer)
			_, err := n.Notify(t.Context(), Samples()["case-new"])
			f := fault{want: mustRefuse}
			if r.All {
				f.want = mustRefuseAll
			}
			check(t, f, err)
			if err != nil && !strings.Contains(err.Error(), r.Remedy) {
				t.Errorf("%q does not say %q", err, r.Remedy)
			}
		})
	}
}

// redirect: nothing is sent to where an answer leads.
func redirect(t *testing.T, s Suite) {
	t.Helper()
	for _, code := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			elsewhere := newServer(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			srv, _, n := start(t, s)
			srv.fail(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, code) })
			_, err := n.Notify(t.Context(), Samples()["case-new"])
			check(t, fault{want: mustFail}, err)
			if got := elsewhere.Requests(); len(got) != 0 {
				t.Errorf("%d requests were sent elsewhere", len(got))
			}
		})
	}
}

func endlessIsCut(t *testing.T, s Suite) {
	t.Helper()
	srv, _, n := start(t, s)
	var written atomic.Int64
	srv.fail(endlessAnswer(func(k int) { written.Add(int64(k)) }))
	_, err := n.Notify(t.Context(), Samples()["case-new"])
	check(t, fault{want: mayDo}, err)
	if w := written.Load(); w >= endless {
		t.Errorf("an answer of %d bytes was read", w)
	}
}

// ends: a context that ends ends the call.
func ends(t *testing.T, s Suite) {
	t.Helper()
	t.Run("hang", func(t *testing.T) {
		t.Parallel()
		srv, _, n := start(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		srv.fail(func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) })
		began := time.Now()
		_, err := n.Notify(ctx, Samples()["case-new"])
		check(t, fault{doubt: true}, err)
		if d := time.Since(began); d > srv.Timeout/2 {
			t.Errorf("it ended after %v", d)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		t.Parallel()
		_, _, n := start(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := n.Notify(ctx, Samples()["case-new"])
		check(t, fault{}, err)
	})
}
