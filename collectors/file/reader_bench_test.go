package file_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"vigil"
	"vigil/collectors/file"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

// benchLog writes n native events of some 380 bytes.
func benchLog(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.log")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	var buf []byte
	for i := range n {
		e := vigil.NewEvent()
		e.Time = start.Add(time.Duration(i) * 370 * time.Millisecond)
		e.Actor = vigil.Actor{ID: fmt.Sprintf("agent-%d", i%300), Kind: vigil.KindHuman, Role: "agent", Team: "emea"}
		e.Session, e.Conversation = fmt.Sprintf("s-%d", i/40), fmt.Sprintf("c-%d", i/3)
		e.Action, e.Store, e.Resource = vigil.ActionRead, "helpdesk", "messages"
		e.Subjects, e.SubjectCount, e.Rows, e.Bytes = []string{fmt.Sprintf("cust-%d", i/3)}, 1, 12, int64(3000+i%900)
		e.IP, e.UserAgent, e.Shape, e.Outcome = fmt.Sprintf("198.51.100.%d", i%200), "Mozilla/5.0 (X11; Linux x86_64)", "select messages#a1b2c3", vigil.OutcomeSuccess
		buf = append(native.Append(buf[:0], e), '\n')
		if _, err := w.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

func BenchmarkReader(b *testing.B) {
	const n = 200_000
	path := benchLog(b, n)
	b.ReportAllocs()
	for b.Loop() {
		r, err := file.Open([]string{path}, file.Config{Formats: []formats.Format{native.Format()}})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.NextBatch(0)
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-sys")
}
