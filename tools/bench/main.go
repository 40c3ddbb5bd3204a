// Command bench measures what a user feels of "vigil scan": events per second of
// wall time and the largest resident memory, on a million made-up events, and
// how both grow when the input is ten times as long.
//
//	go run ./tools/bench -check
//
// It builds the program, writes the traffic to a temporary folder (6 GB for ten
// million events), and runs one scan after the other with standard output
// counted and thrown away. Memory is what the operating system reports for the
// finished process (getrusage, ru_maxrss). Traffic is made by a process of its own:
// on Linux a child's ru_maxrss begins at its parent's, so this one stays small.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"vigil/internal/traffic"
)

// The aims of a scan on two cores.
const (
	aimRate   = 100_000 // events per second, at least
	aimMemory = 500e6   // bytes, at most
	aimGrowth = 11      // times the time for ten times the input, at most
)

// options is what the command line says.
type options struct {
	traffic traffic.Config
	factor  int
	grow    string
	runs    int
	cpus    int
	dir     string
	program string
	check   bool
	output  string // makes it write traffic and do nothing else
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.traffic.Events, "events", 1_000_000, "events of the first run")
	flags.IntVar(&o.traffic.Actors, "actors", 1_000, "people and machines, at least 20")
	flags.IntVar(&o.traffic.Days, "days", 28, "days")
	flags.Uint64Var(&o.traffic.Seed, "seed", 1, "which world")
	flags.IntVar(&o.factor, "factor", 10, "how many times as long the second input is; 1 leaves it out")
	flags.StringVar(&o.grow, "grow", "days", "how it becomes longer: days, rate or actors")
	flags.IntVar(&o.runs, "runs", 1, "runs of each; the median counts for time, the largest for memory")
	flags.IntVar(&o.cpus, "cpus", 2, "cores that the scan may use")
	flags.StringVar(&o.dir, "dir", "", "where to put the traffic; a temporary folder without it")
	flags.StringVar(&o.program, "vigil", "", "the program to measure; built from ./cmd/vigil without it")
	flags.BoolVar(&o.check, "check", false, "fail when an aim is missed")
	flags.StringVar(&o.output, "write", "", "only write the first input to this file")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if o.output != "" {
		return write(o.output, o.traffic)
	}
	if o.runs < 1 || o.factor < 1 || o.cpus < 1 {
		return errors.New("-runs, -factor and -cpus must be at least 1")
	}
	second, err := longer(o.traffic, o.grow, o.factor)
	if err != nil {
		return err
	}
	return o.measure(ctx, out, second)
}

// longer is the configuration of the second input.
func longer(c traffic.Config, grow string, factor int) (traffic.Config, error) {
	c.Events *= factor
	switch grow {
	case "days":
		c.Days *= factor
	case "actors":
		c.Actors *= factor
	case "rate":
	default:
		return c, fmt.Errorf("-grow %q: must be days, rate or actors", grow)
	}
	return c, nil
}

func write(path string, c traffic.Config) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create traffic: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = traffic.Write(f, c)
	return err
}

// measure prints the table, and fails where an aim is missed and that matters.
func (o options) measure(ctx context.Context, out io.Writer, second traffic.Config) error {
	dir, err := os.MkdirTemp(o.dir, "vigil-bench-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if o.program == "" {
		o.program = filepath.Join(dir, "vigil")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", o.program, "./cmd/vigil")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build the program: %w", err)
		}
	}
	fmt.Fprintf(out, "%s, %d of %d cores, %s\n", processor(), min(o.cpus, runtime.NumCPU()), runtime.NumCPU(), runtime.Version())
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "events\tactors\tdays\tMB\twall s\tCPU s\tevents/s\tpeak MB\tfindings\t")
	first, err := o.scan(ctx, dir, o.traffic, table)
	if err != nil {
		return err
	}
	var misses []string
	if rate := float64(o.traffic.Events) / first.wall.Seconds(); rate < aimRate {
		misses = append(misses, fmt.Sprintf("%.0f events/s, aim %d", rate, aimRate))
	}
	if first.memory > aimMemory {
		misses = append(misses, fmt.Sprintf("%.0f MB, aim %.0f", first.memory/1e6, aimMemory/1e6))
	}
	if o.factor == 1 {
		return o.judge(out, table, misses)
	}
	long, err := o.scan(ctx, dir, second, table)
	if err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	growth := long.wall.Seconds() / first.wall.Seconds()
	fmt.Fprintf(out, "%d times the input (%s): %.2f times the wall time, %.2f times the CPU time, %.2f times the memory\n",
		o.factor, o.grow, growth, long.cpu.Seconds()/first.cpu.Seconds(), long.memory/first.memory)
	if aim := aimGrowth * float64(o.factor) / 10; growth > aim {
		misses = append(misses, fmt.Sprintf("%.2f times the time, aim %.1f", growth, aim))
	}
	return o.judge(out, table, misses)
}

func (o options) judge(out io.Writer, table *tabwriter.Writer, misses []string) error {
	if err := table.Flush(); err != nil {
		return err
	}
	if len(misses) == 0 {
		fmt.Fprintln(out, "every aim is met")
		return nil
	}
	text := "missed: " + strings.Join(misses, "; ")
	if o.check {
		return errors.New(text)
	}
	fmt.Fprintln(out, text)
	return nil
}

// cost is what scans of one input took.
type cost struct {
	wall, cpu time.Duration
	memory    float64 // bytes
	findings  int
}

// scan makes an input, scans it as often as asked for, and writes a line.
func (o options) scan(ctx context.Context, dir string, c traffic.Config, table io.Writer) (cost, error) {
	path := filepath.Join(dir, "traffic.ndjson")
	self, err := os.Executable()
	if err != nil {
		return cost{}, fmt.Errorf("find this program: %w", err)
	}
	generate := exec.CommandContext(ctx, self, "-write", path, "-events", strconv.Itoa(c.Events), "-actors", strconv.Itoa(c.Actors),
		"-days", strconv.Itoa(c.Days), "-seed", strconv.FormatUint(c.Seed, 10))
	generate.Stderr = os.Stderr
	if err := generate.Run(); err != nil {
		return cost{}, fmt.Errorf("make %d events: %w", c.Events, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return cost{}, fmt.Errorf("look at the traffic: %w", err)
	}
	var all []cost
	for range o.runs {
		one, err := o.once(ctx, path)
		if err != nil {
			return cost{}, err
		}
		all = append(all, one)
	}
	sum := middle(all)
	fmt.Fprintf(table, "%d\t%d\t%d\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%d\t\n", c.Events, c.Actors, c.Days, float64(info.Size())/1e6,
		sum.wall.Seconds(), sum.cpu.Seconds(), float64(c.Events)/sum.wall.Seconds(), sum.memory/1e6, sum.findings)
	return sum, nil
}

// middle is the run of median wall time, with the largest memory of all.
func middle(all []cost) cost {
	for i := range all {
		for k := i; k > 0 && all[k].wall < all[k-1].wall; k-- {
			all[k], all[k-1] = all[k-1], all[k]
		}
	}
	m := all[len(all)/2]
	for _, c := range all {
		m.memory = max(m.memory, c.memory)
	}
	return m
}

// once runs one scan.
func (o options) once(ctx context.Context, path string) (cost, error) {
	cmd := exec.CommandContext(ctx, o.program, "scan", "--json", path)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(o.cpus))
	var findings lines
	var errs tail
	cmd.Stdout, cmd.Stderr = &findings, &errs
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return cost{}, fmt.Errorf("scan: %w\n%s", err, errs.Bytes())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return cost{}, errors.New("this system does not tell a process's memory")
	}
	return cost{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		memory: float64(usage.Maxrss) * 1024, findings: int(findings)}, nil
}

// lines counts the lines that are written to it.
type lines int

func (l *lines) Write(p []byte) (int, error) {
	*l += lines(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}

// tail keeps the last 4 KiB that are written to it.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	n, err := t.Buffer.Write(p)
	if over := t.Len() - 4096; over > 0 {
		t.Next(over)
	}
	return n, err
}

// processor names the machine's processor.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
