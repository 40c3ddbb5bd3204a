package evaluate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil/internal/metrics"
)

// ErrNotInstalled says that a peer can't be run on this machine.
var ErrNotInstalled = errors.New("not installed")

// peerLimit is how long a peer may take for one seed: golearn's trees can loop for
// ever.
const peerLimit = 2 * time.Minute

// peerSeeds are the seeds whose median counts.
var peerSeeds = [...]int{1, 2, 3}

// Peer is another program's isolation forest.
type Peer struct {
	Name string
	// prepare makes the peer ready in dir, from the module in root, and returns
	// its command line.
	prepare func(ctx context.Context, root, dir string) ([]string, error)
}

// Peers are the forests that are compared: of golearn, of go-iforest and of
// scikit-learn, each with 100 trees of 256 rows.
func Peers() []Peer {
	return []Peer{
		{"golearn isolation forest", func(ctx context.Context, root, dir string) ([]string, error) {
			return buildPeer(ctx, filepath.Join(root, "tools", "peers", "golearn"), filepath.Join(dir, "golearn-forest"))
		}},
		{"go-iforest", prepareIforest},
		{"scikit-learn isolation forest", prepareSklearn},
	}
}

// buildPeer compiles a module.
func buildPeer(ctx context.Context, module, program string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %w: %s", ErrNotInstalled, err, out)
	}
	return []string{program}, nil
}

// prepareIforest fetches go-iforest into a copy of its adapter: the requirement is
// not pinned, since not every module proxy has it.
func prepareIforest(ctx context.Context, root, dir string) ([]string, error) {
	module := filepath.Join(dir, "goiforest")
	if err := os.CopyFS(module, os.DirFS(filepath.Join(root, "tools", "peers", "goiforest"))); err != nil {
		return nil, fmt.Errorf("copy the adapter of go-iforest: %w", err)
	}
	get := exec.CommandContext(ctx, "go", "get", "github.com/e-XpertSolutions/go-iforest/iforest@latest")
	get.Dir = module
	get.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if out, err := get.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: fetch its module: %w: %s", ErrNotInstalled, err, out)
	}
	return buildPeer(ctx, module, filepath.Join(dir, "goiforest-forest"))
}

// prepareSklearn uses the system's Python, where Debian's python3-sklearn lands.
func prepareSklearn(ctx context.Context, root, _ string) ([]string, error) {
	const python = "/usr/bin/python3"
	if out, err := exec.CommandContext(ctx, python, "-c", "import sklearn").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %w: %s", ErrNotInstalled, err, out)
	}
	return []string{python, filepath.Join(root, "tools", "peers", "sklearn_forest.py")}, nil
}

// PeerResult is what a peer reached: the median over the seeds by AUC, and the
// smallest and largest AUC.
type PeerResult struct {
	Quality metrics.Quality
	Low, Up float64
	// Rate is events per second of processor time, for fitting and scoring together.
	Rate float64
}

// Measure runs the peer on rows of features.
func (p Peer) Measure(ctx context.Context, root, dir string, rows [][]float64, labels []bool) (PeerResult, error) {
	command, err := p.prepare(ctx, root, dir)
	if err != nil {
		return PeerResult{}, err
	}
	input := featureRows(rows)
	type run struct {
		q    metrics.Quality
		rate float64
	}
	var runs []run
	for _, seed := range peerSeeds {
		scores, cpu, err := runPeer(ctx, command, seed, input)
		if err != nil {
			return PeerResult{}, fmt.Errorf("run %s: %w", p.Name, err)
		}
		q, err := metrics.Measure(scores, labels)
		if err != nil {
			return PeerResult{}, fmt.Errorf("measure %s: %w", p.Name, err)
		}
		runs = append(runs, run{q, float64(len(rows)) / max(cpu, 1e-6)})
	}
	slices.SortFunc(runs, func(a, b run) int {
		if a.q.AUC < b.q.AUC {
			return -1
		}
		return 1
	})
	middle := runs[len(runs)/2]
	return PeerResult{Quality: middle.q, Low: runs[0].q.AUC, Up: runs[len(runs)-1].q.AUC, Rate: middle.rate}, nil
}

func featureRows(rows [][]float64) []byte {
	var b []byte
	for _, row := range rows {
		for i, v := range row {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendFloat(b, v, 'g', -1, 64)
		}
		b = append(b, '\n')
	}
	return b
}

// runPeer returns a score per row, and the processor seconds that the peer says
// it took.
func runPeer(ctx context.Context, command []string, seed int, input []byte) ([]float64, float64, error) {
	ctx, cancel := context.WithTimeout(ctx, peerLimit)
	defer cancel()
	args := append(slices.Clone(command[1:]), "-trees", "100", "-sample", "256", "-seed", strconv.Itoa(seed))
	cmd := exec.CommandContext(ctx, command[0], args...)
	// One thread each: the figure is per processor second.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("it took more than %v: %w", peerLimit, ctx.Err())
		}
		return nil, 0, fmt.Errorf("%w: %s", err, errs.Bytes())
	}
	var scores []float64
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		s, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			return nil, 0, fmt.Errorf("read score %d: %w", len(scores)+1, err)
		}
		scores = append(scores, s)
	}
	said := strings.Fields(errs.String())
	if len(said) == 0 {
		return nil, 0, errors.New("it did not say how long it took")
	}
	cpu, err := strconv.ParseFloat(said[len(said)-1], 64)
	if err != nil {
		return nil, 0, fmt.Errorf("read its processor time: %w", err)
	}
	return scores, cpu, nil
}
