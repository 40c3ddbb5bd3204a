package evaluate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"vigil/internal/metrics"
	"vigil/internal/metrics/nab"
)

// The sets of series, below the folder of the data.
const (
	nabFolder     = "series/nab"
	nabWindows    = "combined_windows.json"
	labelledCloud = "series/ms_cloud"
	packedTable   = ".csv.gz"
)

// pointLine is what is read of a line of vigil score --series.
type pointLine struct {
	Line     int       `json:"line"`
	Time     time.Time `json:"time"`
	Value    float64   `json:"value"`
	Surprise float64   `json:"surprise"`
	News     float64   `json:"news"`
}

// judged is a series as vigil scored it, by line of its file; the first line is 2.
type judged struct {
	values, surprise, news []float64
	times                  []time.Time
	cpu                    time.Duration
	points                 int
}

// series runs vigil score --series on a file. A line that got no score has 0.
func (p Program) series(ctx context.Context, path string) (judged, error) {
	var out, errs bytes.Buffer
	cmd := p.command(ctx, "score", "--series", "--quiet", path)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return judged{}, fmt.Errorf("run vigil score --series: %w\n%s", err, errs.Bytes())
	}
	j := judged{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var l pointLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return j, fmt.Errorf("read a score: %w", err)
		}
		if l.Line < 2 {
			return j, fmt.Errorf("read a score: line %d is the header", l.Line)
		}
		for len(j.surprise) < l.Line-1 {
			// A line without a score is taken for one like the next.
			j.surprise, j.news = append(j.surprise, 0), append(j.news, 0)
			j.times, j.values = append(j.times, l.Time), append(j.values, l.Value)
		}
		j.surprise[l.Line-2], j.news[l.Line-2] = l.Surprise, l.News
		j.points++
	}
	return j, nil
}

// tables lists the packed tables below a folder, sorted.
func tables(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, packedTable) {
			paths = append(paths, path)
		}
		return err
	})
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("no %s below %s", packedTable, dir)
	}
	slices.Sort(paths)
	return paths, err
}

// NABResult is what vigil reached on the series of the Numenta Anomaly Benchmark.
type NABResult struct {
	Series, Windows, Points int
	// News is the score of the field news, Surprise of every point's surprise, and
	// Gaussian of a windowed Gaussian, to compare with.
	News, Surprise, Gaussian nab.Result
	// Folders are the parts of the corpus, each with the whole corpus's threshold.
	Folders []NABFolder
	CPU     time.Duration
}

// NABFolder is one part of the corpus.
type NABFolder struct {
	Name                               string
	Series, Windows, Found, FalseAlarm int
}

// NAB judges the series of the Numenta Anomaly Benchmark that are in data.
func (p Program) NAB(ctx context.Context, data string) (NABResult, error) {
	dir := filepath.Join(data, filepath.FromSlash(nabFolder))
	paths, err := tables(dir)
	if err != nil {
		return NABResult{}, fmt.Errorf("find the series: %w", err)
	}
	var spans map[string][][2]string
	text, err := os.ReadFile(filepath.Join(dir, nabWindows))
	if err != nil {
		return NABResult{}, fmt.Errorf("read the windows: %w", err)
	}
	if err := json.Unmarshal(text, &spans); err != nil {
		return NABResult{}, fmt.Errorf("read the windows: %w", err)
	}
	var r NABResult
	var news, surprise, gaussian []nab.Series
	var folders []string
	for _, path := range paths {
		name := filepath.ToSlash(strings.TrimSuffix(strings.TrimPrefix(path, dir+string(filepath.Separator)), ".gz"))
		j, err := p.series(ctx, path)
		if err != nil {
			return r, fmt.Errorf("judge %s: %w", name, err)
		}
		windows, err := windowsOf(j.times, spans[name])
		if err != nil {
			return r, fmt.Errorf("place the windows of %s: %w", name, err)
		}
		news = append(news, nab.Series{Scores: j.news, Windows: windows})
		surprise = append(surprise, nab.Series{Scores: j.surprise, Windows: windows})
		gaussian = append(gaussian, nab.Series{Scores: windowedGaussian(j.values), Windows: windows})
		folders = append(folders, strings.SplitN(name, "/", 2)[0])
		r.Series++
		r.Windows += len(windows)
		r.Points += j.points
		r.CPU += j.cpu
	}
	if r.News, err = nab.Evaluate(news, nab.Standard()); err != nil {
		return r, err
	}
	if r.Surprise, err = nab.Evaluate(surprise, nab.Standard()); err != nil {
		return r, err
	}
	if r.Gaussian, err = nab.Evaluate(gaussian, nab.Standard()); err != nil {
		return r, err
	}
	r.Folders = byFolder(folders, news, r.News.Threshold)
	return r, nil
}

// windowsOf finds the points that lie within each span of time.
func windowsOf(times []time.Time, spans [][2]string) ([]nab.Window, error) {
	var out []nab.Window
	for _, s := range spans {
		from, err := time.Parse(time.DateTime, s[0])
		if err != nil {
			return nil, err
		}
		to, err := time.Parse(time.DateTime, s[1])
		if err != nil {
			return nil, err
		}
		w := nab.Window{First: -1}
		for i, t := range times {
			if t.Before(from) || t.After(to) {
				continue
			}
			if w.First < 0 {
				w.First = i
			}
			w.Last = i
		}
		if w.First < 0 {
			return nil, fmt.Errorf("no point lies between %s and %s", s[0], s[1])
		}
		out = append(out, w)
	}
	return out, nil
}

// byFolder counts what is found with one threshold.
func byFolder(folders []string, corpus []nab.Series, threshold float64) []NABFolder {
	by := map[string]*NABFolder{}
	for k, s := range corpus {
		f := by[folders[k]]
		if f == nil {
			f = &NABFolder{Name: folders[k]}
			by[f.Name] = f
		}
		f.Series++
		f.Windows += len(s.Windows)
		found, alarms := nab.Count(s, threshold)
		f.Found += found
		f.FalseAlarm += alarms
	}
	var out []NABFolder
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[name])
	}
	return out
}

// CloudGroup is what vigil reached on the labelled series of one folder, averaged
// over those that have points of both kinds.
type CloudGroup struct {
	Name string
	// Series ran, Measured of them have points of both kinds.
	Series, Measured, Points int
	AUC, AP, F1              float64
	// GaussianAUC and GaussianAP are of a windowed Gaussian, to compare with.
	GaussianAUC, GaussianAP float64
}

// CloudResult is what vigil reached on the labelled series of Microsoft services.
type CloudResult struct {
	Groups []CloudGroup
	// All is the mean over the series of all groups.
	All CloudGroup
	CPU time.Duration
}

// Cloud judges the labelled series of Microsoft services in data.
func (p Program) Cloud(ctx context.Context, data string) (CloudResult, error) {
	dir := filepath.Join(data, filepath.FromSlash(labelledCloud))
	paths, err := tables(dir)
	if err != nil {
		return CloudResult{}, fmt.Errorf("find the series: %w", err)
	}
	r := CloudResult{All: CloudGroup{Name: "all"}}
	for _, path := range paths {
		group := filepath.Base(filepath.Dir(path))
		if len(r.Groups) == 0 || r.Groups[len(r.Groups)-1].Name != group {
			r.Groups = append(r.Groups, CloudGroup{Name: group})
		}
		j, err := p.series(ctx, path)
		if err != nil {
			return r, fmt.Errorf("judge %s: %w", filepath.Base(path), err)
		}
		labels, err := readLabels(path)
		if err != nil {
			return r, fmt.Errorf("read the labels of %s: %w", filepath.Base(path), err)
		}
		if len(j.surprise) > len(labels) {
			return r, fmt.Errorf("judge %s: %d scores for %d rows", filepath.Base(path), len(j.surprise), len(labels))
		}
		scores, plain := make([]float64, len(labels)), make([]float64, len(labels))
		copy(scores, j.surprise)
		copy(plain, windowedGaussian(j.values))
		r.CPU += j.cpu
		q, err := metrics.Measure(scores, labels)
		measured := err == nil
		if err != nil && !errors.Is(err, metrics.ErrOneClass) {
			return r, fmt.Errorf("measure %s: %w", filepath.Base(path), err)
		}
		gaussian, err := metrics.Measure(plain, labels)
		if err != nil && !errors.Is(err, metrics.ErrOneClass) {
			return r, fmt.Errorf("measure a Gaussian on %s: %w", filepath.Base(path), err)
		}
		for _, g := range []*CloudGroup{&r.Groups[len(r.Groups)-1], &r.All} {
			g.Series++
			g.Points += j.points
			if measured {
				g.Measured++
				g.AUC += q.AUC
				g.AP += q.AP
				g.F1 += metrics.BestF1(scores, labels)
				g.GaussianAUC += gaussian.AUC
				g.GaussianAP += gaussian.AP
			}
		}
	}
	for i := range r.Groups {
		r.Groups[i].average()
	}
	r.All.average()
	return r, nil
}

func (g *CloudGroup) average() {
	n := float64(max(g.Measured, 1))
	g.AUC, g.AP, g.F1 = g.AUC/n, g.AP/n, g.F1/n
	g.GaussianAUC, g.GaussianAP = g.GaussianAUC/n, g.GaussianAP/n
}

// readLabels reads the third column of a packed table.
func readLabels(path string) (labels []bool, err error) {
	err = unpack(path, func(r io.Reader) error {
		rows := csv.NewReader(r)
		if _, err := rows.Read(); err != nil {
			return err
		}
		for {
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if len(row) < 3 {
				return fmt.Errorf("row %d has no label", len(labels)+2)
			}
			label, err := strconv.ParseFloat(row[2], 64)
			if err != nil {
				return fmt.Errorf("row %d: %w", len(labels)+2, err)
			}
			labels = append(labels, label != 0)
		}
	})
	return labels, err
}
