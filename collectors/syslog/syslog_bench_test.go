package syslog_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"vigil/collectors"
	"vigil/collectors/syslog"
)

// counting is a sink that takes everything, and tells when there are n.
func counting(n int64) (sink collectors.Sink, done <-chan struct{}, taken *atomic.Int64) {
	all := make(chan struct{})
	taken = &atomic.Int64{}
	return collectors.SinkFunc(func(_ context.Context, b collectors.Batch) error {
		if k := int64(len(b.Events)); k > 0 {
			if now := taken.Add(k); now >= n && now-k < n {
				close(all)
			}
		}
		return nil
	}), all, taken
}

func BenchmarkTCP(b *testing.B) {
	for _, connections := range []int{1, 4} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			sink, done, _ := counting(int64(b.N / connections * connections))
			addr, _ := receiver(b, syslog.Config{}, syslog.Options{}, nil, sink)
			if b.N < connections {
				return
			}
			b.ResetTimer()
			for range connections {
				conn := dial(b, "tcp", addr)
				go func() {
					w := bufio.NewWriterSize(conn, 64<<10)
					for i := range b.N / connections {
						fmt.Fprintf(w, "%s\n", message(i))
					}
					w.Flush()
				}()
			}
			<-done
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

func BenchmarkRELP(b *testing.B) {
	sink, done, _ := counting(int64(b.N))
	addr, _ := receiver(b, syslog.Config{Transport: syslog.RELP}, syslog.Options{}, nil, sink)
	conn := dial(b, "tcp", addr)
	fmt.Fprint(conn, "1 open 15 commands=syslog\n")
	in := bufio.NewReader(conn)
	if _, _, err := readAnswer(in); err != nil {
		b.Fatal(err)
	}
	window := make(chan struct{}, relpWindow)
	go func() {
		for {
			if _, err := in.ReadSlice('\n'); err != nil {
				return
			}
			<-window
		}
	}()
	b.ResetTimer()
	w := bufio.NewWriterSize(conn, 64<<10)
	for i := range b.N {
		select {
		case window <- struct{}{}:
		default:
			w.Flush()
			window <- struct{}{}
		}
		text := message(i)
		fmt.Fprintf(w, "%d syslog %d %s\n", i+2, len(text), text)
	}
	w.Flush()
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkUDP counts what is taken of what is sent as fast as can be.
func BenchmarkUDP(b *testing.B) {
	sink, _, taken := counting(int64(b.N))
	addr, stop := receiver(b, syslog.Config{Transport: syslog.UDP}, syslog.Options{}, nil, sink)
	conn := dial(b, "udp", addr)
	b.ResetTimer()
	for i := range b.N {
		if _, err := io.WriteString(conn, message(i)); err != nil {
			b.Fatal(err)
		}
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(taken.Load())/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(100*float64(int64(b.N)-taken.Load())/float64(b.N), "%lost")
}

func BenchmarkTLS(b *testing.B) {
	a := newAuthority(b)
	sink, done, _ := counting(int64(b.N))
	addr, _ := receiver(b, a.receiver("", syslog.TLS), syslog.Options{}, nil, sink)
	conn := dialTLS(b, a, addr)
	b.ResetTimer()
	go func() {
		w := bufio.NewWriterSize(conn, 64<<10)
		for i := range b.N {
			text := message(i)
			fmt.Fprintf(w, "%d %s", len(text), text)
		}
		w.Flush()
	}()
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func dialTLS(b *testing.B, a *authority, addr string) net.Conn {
	b.Helper()
	conn, err := tls.Dial("tcp", addr, a.client(b, "web.example.org"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}
