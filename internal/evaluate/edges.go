package evaluate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// edgesFile is the set of network edges, below the folder of the data.
const edgesFile = "edges/darpa98_first_half.csv.xz"

// Edges are the DARPA 1998 network edges in data: source, destination, minute, and the
// attack's name or "-". limit, when above zero, is how many are taken. The archive is
// unpacked by xz.
func Edges(ctx context.Context, data string, limit int) (Events, error) {
	path := filepath.Join(data, filepath.FromSlash(edgesFile))
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("find the edges: %w", err)
	}
	xz, err := exec.LookPath("xz")
	if err != nil {
		return nil, fmt.Errorf("unpack the edges: %w", err)
	}
	return func(w io.Writer) (labels []bool, err error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		cmd := exec.CommandContext(ctx, xz, "-dc", path)
		text, err := cmd.StdoutPipe()
		if err != nil {
			return nil, fmt.Errorf("unpack the edges: %w", err)
		}
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("unpack the edges: %w", err)
		}
		labels, err = writeEdges(w, text, limit)
		if err != nil || limit > 0 {
			cancel() // it may still have something to say
			_ = cmd.Wait()
			return labels, err
		}
		if err := cmd.Wait(); err != nil {
			return nil, fmt.Errorf("unpack the edges: %w", err)
		}
		return labels, nil
	}, nil
}

// writeEdges turns rows into events: the source reads the destination.
func writeEdges(w io.Writer, r io.Reader, limit int) (labels []bool, err error) {
	lines := bufio.NewScanner(r)
	var buf []byte
	var minute, stamp string
	for lines.Scan() {
		if limit > 0 && len(labels) == limit {
			break
		}
		f := strings.Split(lines.Text(), ",")
		if len(f) != 4 {
			return labels, fmt.Errorf("edge %d has %d columns, not 4", len(labels)+1, len(f))
		}
		if f[2] != minute {
			t, err := time.Parse("01/02/2006-15:04", f[2])
			if err != nil {
				return labels, fmt.Errorf("edge %d: %w", len(labels)+1, err)
			}
			minute, stamp = f[2], t.Format(time.RFC3339)
		}
		buf = append(buf[:0], `{"id":"`...)
		buf = strconv.AppendInt(buf, int64(len(labels)), 10)
		buf = append(buf, `","time":"`...)
		buf = append(buf, stamp...)
		buf = append(buf, `","actor":`...)
		buf = strconv.AppendQuote(buf, f[0])
		buf = append(buf, `,"action":"read","resource":`...)
		buf = strconv.AppendQuote(buf, f[1])
		buf = append(buf, "}\n"...)
		if _, err := w.Write(buf); err != nil {
			return labels, err
		}
		labels = append(labels, f[3] != "-")
	}
	return labels, lines.Err()
}
