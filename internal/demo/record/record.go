package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"vigil/internal/demo"
)

// record makes the recording inside the namespace and writes both files.
func record(ctx context.Context, o options, stderr io.Writer) (err error) {
	if err := raiseNetworks(ctx); err != nil {
		return err
	}
	srv, err := newServer(ctx, o.pgbin, o.user)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()

	tape := &serverTape{}
	s := newSim(o, tape)
	if err := furnish(ctx, srv, s); err != nil {
		return err
	}
	raw, err := os.OpenFile(filepath.Join(home, "audit.log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	tape.log = raw
	if !o.quiet {
		tape.progress = progress(s.start, s.end, stderr)
	}
	truth, err := play(ctx, srv, s, tape)
	if err != nil {
		return err
	}
	// What the server writes when it is stopped is no part of the story: its log
	// goes on.
	length := tape.steps[len(tape.steps)-1].end
	if err := srv.stop(); err != nil {
		return err
	}
	return publish(o, io.NewSectionReader(raw, 0, length), tape.steps, truth, stderr)
}

// furnish fills the store, on a server whose messages nobody keeps.
func furnish(ctx context.Context, srv *server, s *sim) error {
	quiet, err := os.OpenFile(filepath.Join(home, "prepare.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("make the first log: %w", err)
	}
	defer quiet.Close()
	if err := srv.start(ctx, quiet, map[string]string{"shared_preload_libraries": "pgaudit", "pgaudit.log": "none"}); err != nil {
		return err
	}
	return errors.Join(prepare(ctx, srv, s.world, s.staff), srv.stop())
}

// play runs the story against the auditing server.
func play(ctx context.Context, srv *server, s *sim, tape *serverTape) (demo.Truth, error) {
	err := tape.note(s.start, func() error { return srv.start(ctx, tape.log, auditSettings()) })
	if err != nil {
		return demo.Truth{}, errors.Join(err, dump(tape.log))
	}
	return s.run(ctx)
}

// dump quotes the end of the server's log, for an error.
func dump(log *os.File) error {
	b := make([]byte, 2000)
	n, err := log.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("the server's log begins: %q", b[:n])
}

// publish moves the times, compresses the log and writes both files; neither is
// touched unless both could be written.
func publish(o options, raw io.Reader, steps []step, truth demo.Truth, stderr io.Writer) error {
	var packed bytes.Buffer
	enc, err := zstd.NewWriter(&packed, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(o.level)), zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return fmt.Errorf("set up the compressor: %w", err)
	}
	truth.Lines, err = moveTimes(o, raw, enc, steps)
	if err := errors.Join(err, enc.Close()); err != nil {
		return fmt.Errorf("move the log's times: %w", err)
	}
	key, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return fmt.Errorf("write the key of truth: %w", err)
	}
	files := map[string][]byte{demo.Name: packed.Bytes(), "truth.json": append(key, '\n')}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(o.out, name+".new"), data, 0o644); err != nil {
			return fmt.Errorf("write the recording: %w", err)
		}
	}
	for name := range files {
		path := filepath.Join(o.out, name)
		if err := os.Rename(path+".new", path); err != nil {
			return fmt.Errorf("write the recording: %w", err)
		}
	}
	_, err = fmt.Fprintf(stderr, "%d statements, %d lines, %d bytes compressed\n", truth.Statements, truth.Lines, packed.Len())
	return err
}

// moveTimes writes the log with simulated times to w, and to the plain file that
// was asked for.
func moveTimes(o options, raw io.Reader, w io.Writer, steps []step) (lines int64, err error) {
	if o.keep == "" {
		return rewrite(raw, w, steps)
	}
	plain, err := os.Create(o.keep)
	if err != nil {
		return 0, fmt.Errorf("write the plain log: %w", err)
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	return rewrite(raw, io.MultiWriter(w, plain), steps)
}

// progress prints a line for each simulated day.
func progress(start, end time.Time, w io.Writer) func(time.Time) {
	began := time.Now()
	next := start
	return func(t time.Time) {
		if t.Before(next) {
			return
		}
		next = t.Truncate(24*time.Hour).AddDate(0, 0, 1)
		fmt.Fprintf(w, "%s  %3.0f %%  %s\n", t.Format(time.DateOnly), 100*t.Sub(start).Hours()/end.Sub(start).Hours(), time.Since(began).Round(time.Second))
	}
}
