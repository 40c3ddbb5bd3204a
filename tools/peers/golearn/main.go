//go:debug randseednop=0

// Command golearn scores rows of numbers with golearn's isolation forest. It is a
// module of its own, so that what golearn needs stays out of vigil's.
//
// It reads rows of numbers between commas, without a header, from standard input,
// and writes one score a line, higher being more isolated. The last line of standard
// error is the processor seconds of fitting and scoring. golearn draws from the
// global source, which can be seeded only with the setting on top.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/trees"
)

func main() {
	if err := run(os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "golearn:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out, errs io.Writer) (err error) {
	size := flag.Int("trees", 100, "trees")
	sample := flag.Int("sample", 256, "rows per tree")
	depth := flag.Int("depth", 8, "levels of a tree")
	seed := flag.Int64("seed", 1, "seed")
	flag.Parse()
	rows, err := read(in)
	if err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("golearn gave up: %v", r)
		}
	}()
	grid, err := instances(rows)
	if err != nil {
		return err
	}
	rand.Seed(*seed) //nolint:staticcheck // there is no other way in
	start := cpu()
	forest := trees.NewIsolationForest(*size, *depth, *sample)
	forest.Fit(grid)
	scores := forest.Predict(grid)
	spent := cpu() - start
	w := bufio.NewWriter(out)
	for _, s := range scores {
		fmt.Fprintln(w, strconv.FormatFloat(s, 'g', -1, 64))
	}
	fmt.Fprintf(errs, "%g\n", spent.Seconds())
	return w.Flush()
}

func read(in io.Reader) ([][]float64, error) {
	var rows [][]float64
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var row []float64
		for field := range strings.SplitSeq(lines.Text(), ",") {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", len(rows)+1, err)
			}
			row = append(row, v)
		}
		if len(rows) > 0 && len(row) != len(rows[0]) {
			return nil, fmt.Errorf("row %d has %d numbers, not %d", len(rows)+1, len(row), len(rows[0]))
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("no row")
	}
	return rows, nil
}

// instances makes golearn's form of the rows. It insists on one class attribute,
// which must be a float and which it then uses as a feature: here a constant, on which no tree can
// split.
func instances(rows [][]float64) (*base.DenseInstances, error) {
	grid := base.NewDenseInstances()
	specs := make([]base.AttributeSpec, len(rows[0]))
	for i := range specs {
		specs[i] = grid.AddAttribute(base.NewFloatAttribute("f" + strconv.Itoa(i)))
	}
	class := base.NewFloatAttribute("class")
	classSpec := grid.AddAttribute(class)
	if err := grid.AddClassAttribute(class); err != nil {
		return nil, err
	}
	if err := grid.Extend(len(rows)); err != nil {
		return nil, err
	}
	for r, row := range rows {
		for i, v := range row {
			grid.Set(specs[i], r, base.PackFloatToBytes(v))
		}
		grid.Set(classSpec, r, base.PackFloatToBytes(0))
	}
	return grid, nil
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
