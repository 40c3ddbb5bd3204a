// Command goiforest scores rows of numbers with the isolation forest of
// e-XpertSolutions/go-iforest. It is a module of its own, whose requirement is
// fetched when it is built: the module has no version to pin that every proxy has.
//
// It reads rows of numbers between commas, without a header, from standard input,
// and writes one score a line, higher being more isolated. The last line of standard
// error is the processor seconds of fitting and scoring. Its samples follow the
// order of Go's maps, so no seed gives the same forest twice.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/e-XpertSolutions/go-iforest/iforest"
)

func main() {
	if err := run(os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "goiforest:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out, errs io.Writer) (err error) {
	size := flag.Int("trees", 100, "trees")
	sample := flag.Int("sample", 256, "rows per tree")
	_ = flag.Int64("seed", 1, "has no effect")
	flag.Parse()
	rows, err := read(in)
	if err != nil {
		return err
	}
	if len(rows) < *sample {
		return fmt.Errorf("%d rows are fewer than a sample of %d", len(rows), *sample)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("go-iforest gave up: %v", r)
		}
	}()
	start := cpu()
	// Testing only sets a bound, which scores don't depend on, but scoring wants it.
	forest := iforest.NewForest(*size, *sample, 0.1)
	forest.Train(rows)
	if err := forest.Test(rows); err != nil {
		return err
	}
	_, scores, err := forest.Predict(rows)
	if err != nil {
		return err
	}
	spent := cpu() - start
	w := bufio.NewWriter(out)
	for _, s := range scores {
		fmt.Fprintln(w, strconv.FormatFloat(-s, 'g', -1, 64)) // low is isolated there
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

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
