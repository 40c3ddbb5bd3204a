package evaluate_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/internal/evaluate"
)

// judge stands for vigil: the surprise of a point is its value, news what is above 50.
const judge = `gzip -dc "$4" | awk -F, 'NR > 1 && $2 != "" {
	t = $1; sub(" ", "T", t)
	printf "{\"line\":%d,\"time\":\"%sZ\",\"value\":%s,\"surprise\":%s,\"news\":%s}\n", NR, t, $2, $2, ($2 > 50 ? $2 : 0)
}'`

// pack writes a packed table of hourly values.
func pack(t *testing.T, path, head string, row func(i int) string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprintln(z, head)
	for i := range 200 {
		fmt.Fprintf(z, "%s,%s\n", time.Date(2020, 1, 1, i, 0, 0, 0, time.UTC).Format(time.DateTime), row(i))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSeriesAreJudged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := evaluate.Program{Command: script(t, judge)}
	spike := func(at int) func(int) string {
		return func(i int) string {
			switch i {
			case at:
				return "100"
			case at + 1:
				return "" // a gap is no score
			}
			return fmt.Sprint(i % 7)
		}
	}
	folder := filepath.Join(dir, "series", "nab")
	pack(t, filepath.Join(folder, "real", "a.csv.gz"), "timestamp,value", spike(100))
	pack(t, filepath.Join(folder, "real", "b.csv.gz"), "timestamp,value", spike(150))
	pack(t, filepath.Join(folder, "made", "c.csv.gz"), "timestamp,value", spike(500))
	windows := `{"real/a.csv":[["2020-01-05 04:00:00.000000","2020-01-05 08:00:00.000000"]],"real/b.csv":[["2020-01-06 00:00:00","2020-01-06 05:00:00"]],"made/c.csv":[]}`
	if err := os.WriteFile(filepath.Join(folder, "combined_windows.json"), []byte(windows), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := program.NAB(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	// The spike of a is the first point of its window, that of b, as high, lies far
	// behind its own: one of two windows, and a false alarm.
	if want := 100 * (2 - 0.11) / 4; got.Series != 3 || got.Windows != 2 || got.News.Found != 1 || got.News.FalseAlarms != 1 ||
		math.Abs(got.News.Score-want) > 1e-9 {
		t.Errorf("want %g: %+v", want, got)
	}
	if len(got.Folders) != 2 || got.Folders[0].Name != "made" || got.Folders[1].Found != 1 || got.Folders[1].FalseAlarm != 1 {
		t.Errorf("%+v", got.Folders)
	}
	if text := evaluate.NABTable(got); !strings.Contains(text, "| real | 2 | 1 of 2 | 1 |") || !strings.Contains(text, "3 series, 598 points, 2 windows") {
		t.Error(text)
	}

	cloud := filepath.Join(dir, "series", "ms_cloud")
	label := func(at int) func(int) string {
		return func(i int) string {
			if i == at {
				return "100,1"
			}
			return fmt.Sprint(i%7) + ",0"
		}
	}
	pack(t, filepath.Join(cloud, "db", "a.csv.gz"), "TimeStamp,Value,Label", label(100))
	pack(t, filepath.Join(cloud, "web", "b.csv.gz"), "TimeStamp,Value,Label", label(500))
	r, err := program.Cloud(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Groups) != 2 || r.All.Series != 2 || r.All.Measured != 1 || r.All.AUC != 1 || r.All.AP != 1 || r.All.F1 != 1 || r.All.GaussianAUC != 1 {
		t.Errorf("%+v", r)
	}
	if text := evaluate.CloudTable(r); !strings.Contains(text, "| web | 1 | no point is labelled |") || !strings.Contains(text, "| all | 2 (1 with labels) | 1.000 |") {
		t.Error(text)
	}
}
