package rest

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// drip gives one byte a second.
type drip struct {
	ctx  context.Context
	left int
}

func (d *drip) Read(b []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(time.Second):
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
	d.left--
	b[0] = 'x'
	return 1, nil
}

func (d *drip) Close() error { return nil }

// TestPace reads a body of one byte a second, which ends, and one of good pace whose
// reader takes its time.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		body := newPaced(ctx, cancel, &drip{ctx, 1 << 20}, 30*time.Second)
		began := time.Now()
		n, err := io.Copy(io.Discard, body)
		if !errors.Is(err, errSlow) || time.Since(began) > 31*time.Second || n < 29 {
			t.Errorf("%v after %s and %d bytes", err, time.Since(began), n)
		}
		body.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		body := newPaced(ctx, cancel, &drip{ctx, 10}, 30*time.Second)
		for range 10 {
			if _, err := body.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Hour)
		}
		if _, err := body.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		body.Close()
	})
}
