//go:build !race

package affinity_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"vigil/internal/metrics"
	"vigil/models/affinity"
)

// publicEdges is where the labelled network edges lie in a developer's checkout.
const publicEdges = "../../../shared/data/edges/darpa98_first_half.csv.xz"

type edge struct {
	src, dst uint64
	tick     int64
	attack   bool
}

func readEdges(b *testing.B) []edge {
	b.Helper()
	if _, err := os.Stat(publicEdges); err != nil {
		b.Skipf("NOT MEASURED: the labelled edges are not there: %v", err)
	}
	xz, err := exec.LookPath("xz")
	if err != nil {
		b.Skip("NOT MEASURED: no xz command in PATH")
	}
	cmd := exec.CommandContext(b.Context(), xz, "-dc", publicEdges)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	var edges []edge
	ticks := map[string]int64{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		f := strings.Split(lines.Text(), ",")
		if len(f) != 4 {
			b.Fatalf("line %d has %d fields", len(edges)+1, len(f))
		}
		tick, ok := ticks[f[2]]
		if !ok {
			at, err := time.Parse("01/02/2006-15:04", f[2])
			if err != nil {
				b.Fatal(err)
			}
			tick = at.Unix() / 60
			ticks[strings.Clone(f[2])] = tick
		}
		edges = append(edges, edge{xxhash.Sum64String(f[0]), xxhash.Sum64String(f[1]), tick, f[3] != "-"})
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return edges
}

// BenchmarkPublicEdges measures how well the raw score orders labelled edges: the
// whole set, and parts of it with a sketch that knows nothing yet.
func BenchmarkPublicEdges(b *testing.B) {
	edges := readEdges(b)
	n := len(edges)
	week := 0
	for edges[week].tick < edges[0].tick+7*1440 {
		week++
	}
	// The second half first, the first half moved to follow it.
	turned := append([]edge{}, edges[n/2:]...)
	shift := edges[n-1].tick - edges[0].tick + 1
	for _, e := range edges[:n/2] {
		e.tick += shift
		turned = append(turned, e)
	}
	// Where most of what happens is an attack, ranks say little about quiet days.
	var rare []edge
	for i, e := range edges {
		if !e.attack || i%100 == 0 {
			rare = append(rare, e)
		}
	}
	small := affinity.Config{Limit: 1 << 12}
	for _, c := range []struct {
		name  string
		cfg   affinity.Config
		edges []edge
	}{
		{"whole", affinity.Config{}, edges},
		{"whole/seed1", affinity.Config{Seed: 1}, edges},
		{"whole/seed2", affinity.Config{Seed: 2}, edges},
		{"whole/limit4096", small, edges},
		{"half2/limit4096", small, edges[n/2:]},
		{"one-attack-in-100", affinity.Config{}, rare},
		{"third1", affinity.Config{}, edges[:n/3]},
		{"third2", affinity.Config{}, edges[n/3 : 2*n/3]},
		{"third3", affinity.Config{}, edges[2*n/3:]},
		{"half2", affinity.Config{}, edges[n/2:]},
		{"turned", affinity.Config{}, turned},
		{"from-week2", affinity.Config{}, edges[week:]},
		{"eighth3", affinity.Config{}, edges[2*n/8 : 3*n/8]},
		{"eighth4", affinity.Config{}, edges[3*n/8 : 4*n/8]},
		{"eighth5", affinity.Config{}, edges[4*n/8 : 5*n/8]},
		{"eighth6", affinity.Config{}, edges[5*n/8 : 6*n/8]},
		{"eighth7", affinity.Config{}, edges[6*n/8 : 7*n/8]},
		{"eighth8", affinity.Config{}, edges[7*n/8:]},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := model(b, c.cfg)
			scores, labels := make([]float64, len(c.edges)), make([]bool, len(c.edges))
			var slots int
			start := cpu(b)
			for b.Loop() {
				e := m.Edges()
				for i, x := range c.edges {
					scores[i], labels[i] = e.Add(x.src, x.dst, x.tick), x.attack
				}
				slots = e.Sources.Slots() + e.Destinations.Slots()
			}
			perCPU(b, start, b.N*len(c.edges), "Medges")
			b.ReportMetric(float64(slots), "slots")
			q, err := metrics.Measure(scores, labels)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(q.AUC, "AUC")
			b.ReportMetric(q.AP, "AP")
		})
	}
}

// BenchmarkPublicEdgesSharded does the same as the engine does: 256 sketches own
// the sources and 256 the destinations.
func BenchmarkPublicEdgesSharded(b *testing.B) {
	edges := readEdges(b)
	m := model(b, affinity.Config{Limit: 1 << 12})
	scores, labels := make([]float64, len(edges)), make([]bool, len(edges))
	var slots, most int
	start := cpu(b)
	for b.Loop() {
		var sources, destinations [256]*affinity.Sketch
		for i := range sources {
			sources[i], destinations[i] = m.Sketch(), m.Sketch()
		}
		for i, x := range edges {
			s, fresh := sources[x.src%256].AddSource(x.src, x.dst, x.tick)
			d, _ := destinations[x.dst%256].AddFan(x.dst, x.tick, fresh)
			scores[i], labels[i] = affinity.Combine(s, d), x.attack
		}
		slots, most = 0, 0
		for i := range sources {
			slots += sources[i].Slots() + destinations[i].Slots()
			most = max(most, sources[i].Slots(), destinations[i].Slots())
		}
	}
	perCPU(b, start, b.N*len(edges), "Medges")
	q, err := metrics.Measure(scores, labels)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(q.AUC, "AUC")
	b.ReportMetric(q.AP, "AP")
	b.ReportMetric(float64(slots), "slots")
	b.ReportMetric(float64(most), "slots-in-largest")
}
