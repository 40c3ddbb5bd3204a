package series_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vigil/internal/series"
)

// spool is a ledger's spool in small: windows with a version each.
type spool struct {
	mu     sync.Mutex
	totals map[time.Time]int64
	dirty  map[time.Time]int
	news   chan struct{}
	err    error
}

func newSpool() *spool {
	return &spool{totals: map[time.Time]int64{}, dirty: map[time.Time]int{}, news: make(chan struct{}, 1)}
}

func (s *spool) add(window int, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := start.Add(time.Duration(window) * series.Window)
	s.totals[at] += n
	s.dirty[at]++
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *spool) windows() []time.Time {
	var out []time.Time
	for at := range s.dirty {
		out = append(out, at)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

func (s *spool) DirtyPoints(_ context.Context, most int) (series.Dirty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := map[time.Time]int{}
	var points []series.Point
	for _, at := range s.windows() {
		if len(points) == most {
			break
		}
		points = append(points, series.Point{Start: at, Events: s.totals[at]})
		token[at] = s.dirty[at]
	}
	return series.Dirty{Points: points, Token: token}, s.err
}

func (s *spool) MarkWritten(_ context.Context, token series.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, version := range token.(map[time.Time]int) {
		if s.dirty[at] == version {
			delete(s.dirty, at)
		}
	}
	return nil
}

func (s *spool) DropDirty(_ context.Context, keep int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	windows := s.windows()
	drop := windows[:max(0, len(windows)-keep)]
	for _, at := range drop {
		delete(s.dirty, at)
	}
	return int64(len(drop)), nil
}

func (s *spool) WaitDirty(ctx context.Context) error {
	for {
		s.mu.Lock()
		waiting := len(s.dirty)
		s.mu.Unlock()
		if waiting > 0 {
			return nil
		}
		select {
		case <-s.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// server is a writer that can be down, and may change the spool while it writes.
type server struct {
	mu     sync.Mutex
	down   error
	totals map[time.Time]int64
	sizes  []int
	calls  int
	during func()
}

func (w *server) Write(_ context.Context, points []series.Point) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.during != nil {
		w.during()
		w.during = nil
	}
	if w.down != nil {
		return w.down
	}
	w.sizes = append(w.sizes, len(points))
	for _, p := range points {
		w.totals[p.Start] = p.Events
	}
	return nil
}

func (w *server) WriteFindings(context.Context, []series.FindingPoint) error {
	return errors.New("this spool holds none")
}

func (w *server) WriteCases(context.Context, []series.CasePoint) error {
	return errors.New("this spool holds none")
}

func (w *server) WriteReadings(context.Context, []series.Reading) error {
	return errors.New("this spool holds none")
}

func (w *server) setDown(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = err
}

func (w *server) tries() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// ship runs Ship in the background until the returned function is called.
func ship(t *testing.T, s *spool, w *server, cfg series.ShipConfig) (stop func() series.Shipped) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	var mu sync.Mutex
	var last series.Shipped
	go func() {
		done <- series.Ship(ctx, s, w, cfg, series.ShipOptions{Report: func(x series.Shipped) {
			mu.Lock()
			defer mu.Unlock()
			last = x
		}})
	}()
	return func() series.Shipped {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ship ended with %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}

func TestShipWritesWhatChangesAndNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, w := newSpool(), &server{totals: map[time.Time]int64{}}
		for i := range 12_000 {
			s.add(i, 1)
		}
		// While the first write is on its way the first window grows.
		w.during = func() { s.add(0, 5) }
		stop := ship(t, s, w, series.ShipConfig{})
		<-time.After(time.Minute) // the bubble's clock: no real time passes
		synctest.Wait()
		got := stop()
		if len(w.totals) != 12_000 || w.totals[start] != 6 {
			t.Errorf("%d windows written, the first as %d", len(w.totals), w.totals[start])
		}
		if slices.Max(w.sizes) > series.MaxWrite {
			t.Errorf("writes of %v points", w.sizes)
		}
		if len(s.dirty) != 0 || got.Failures != 0 || got.Err != nil {
			t.Errorf("%d windows still wait; %+v", len(s.dirty), got)
		}
	})
}

func TestShipWaitsWhileTheServerIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, w := newSpool(), &server{totals: map[time.Time]int64{}, down: errors.New("connection refused")}
		s.add(0, 1)
		stop := ship(t, s, w, series.ShipConfig{MaxWindows: 3})
		<-time.After(10 * time.Minute)
		synctest.Wait()
		tries := w.tries()
		// 1, 2, 4 ... 32 s, then one each minute.
		if tries < 12 || tries > 16 {
			t.Errorf("%d tries in 10 minutes", tries)
		}
		for i := 1; i < 6; i++ {
			s.add(i, 1)
		}
		w.setDown(nil)
		<-time.After(2 * time.Minute)
		synctest.Wait()
		got := stop()
		if len(w.totals) != 3 || w.totals[start.Add(5*series.Window)] != 1 {
			t.Errorf("written: %v; of 6 windows the newest 3 have room", w.totals)
		}
		if got.Dropped != 3 || got.Err != nil || got.Failures != int64(tries) {
			t.Errorf("%+v after %d tries", got, tries)
		}
	})
}

func TestShipEndsWhenTheSpoolFails(t *testing.T) {
	t.Parallel()
	s, w := newSpool(), &server{totals: map[time.Time]int64{}}
	s.add(0, 1)
	s.err = errors.New("database is gone")
	if err := series.Ship(t.Context(), s, w, series.ShipConfig{}, series.ShipOptions{}); !errors.Is(err, s.err) {
		t.Errorf("error %v, want the spool's", err)
	}
}
