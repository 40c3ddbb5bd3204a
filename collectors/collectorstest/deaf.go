package collectorstest

import (
	"context"
	"net"
	"testing"
	"time"

	"vigil/collectors"
)

// stopTime is how long the program waits for a collector at its stop.
const stopTime = 20 * time.Second

// Deaf stops a collector while its server, which took the connection, says nothing, as
// one that hangs does: Run must return nil within the time of a stop. open makes the
// collector that connects to an address.
func Deaf(t *testing.T, open func(address string) (collectors.Collector, error)) {
	t.Helper()
	Hangs(t, open, func(_ net.Conn, hung func()) { hung() })
}

// Hangs is Deaf of a server that first speaks: serve answers on one connection, and calls
// hung when it leaves something without an answer.
func Hangs(t *testing.T, open func(address string) (collectors.Collector, error), serve func(conn net.Conn, hung func())) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hung := make(chan struct{}, 1)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(t.Context(), func() { conn.Close() })
			go serve(conn, func() {
				select {
				case hung <- struct{}{}:
				default:
				}
			})
		}
	}()
	c, err := open(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- c.Run(ctx, nil, collectors.SinkFunc(func(context.Context, collectors.Batch) error { return nil }))
	}()
	select {
	case <-hung:
	case err := <-done:
		t.Fatalf("Run returned %v before it was cancelled", err)
	case <-time.After(patience):
		t.Fatal("the collector asks for nothing")
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run returned %v after it was cancelled, want nil", err)
		}
	case <-time.After(stopTime):
		t.Error("Run does not return in the time of a stop")
	}
}
