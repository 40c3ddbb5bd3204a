// Package file reads logs that lie in files: once and as a whole ([Open]), and
// as they grow ([NewTail]).
//
// Both find packing (gzip, zstd), encoding (UTF-8, UTF-16) and format by
// looking, and split lines in bounded memory. What can't be read, a line, the rest of
// a damaged archive, or a whole file that is binary, is set aside with its reason and
// counted; everything else goes on.
//
// A Reader is for one goroutine; inside, each log that is being read has one of
// its own. Files of one rotation family (helpdesk.log, helpdesk.log.1,
// helpdesk-20261102.log.gz) are one stream, read in the order of their times by one
// decoder, so that what joins lines crosses rotations. Streams are merged by
// event time; a stream is opened when its time comes. One that doesn't run from old
// to new is sorted on disk first. The same files give the same events in the same order,
// whatever the number of cores. Goroutines wait when the caller doesn't read;
// Close ends them.
package file

import (
	"time"

	"vigil"
	"vigil/collectors/formats"
)

// Config says what is read and how.
type Config struct {
	// Source and Store are stamped on events that name none themselves.
	Source, Store string
	// Formats are the formats there are. Required.
	Formats []formats.Format
	// Format names the one to use; empty finds it for each stream.
	Format string
	// Params are the formats' settings, by format name and setting name, such
	// as Params["postgresql"]["log_line_prefix"].
	Params map[string]map[string]string
	// Mapping says how the store names its subjects and conversations.
	Mapping *formats.Mapping

	// Quarantine, when set, gets each record that is set aside. It is called
	// from within NextBatch, in the same order each time.
	Quarantine func(vigil.Quarantined)
	// Progress, when set, is called from within NextBatch with the bytes read
	// and the bytes there are, as the files lie on disk.
	Progress func(done, total int64)

	// TempDir is where streams that must be sorted are kept meanwhile, readable by
	// this user alone and without a name; empty means the system's.
	TempDir string
	// SortMemory bounds what sorting holds in memory, in bytes; zero means 64 MiB.
	SortMemory int64
}

// Order is how a stream runs in time.
type Order string

// The orders. Only OldestFirst is read without sorting.
const (
	OldestFirst Order = "oldest first"
	NewestFirst Order = "newest first"
	Unordered   Order = "unordered"
)

// Summary tells what was read.
type Summary struct {
	Files []FileSummary
	// Events and Lines are sums over the files, Quarantined by code.
	Events, Lines int64
	Quarantined   map[string]int64
	// Late counts events that came out after their place in event time had
	// passed, because their stream is disordered beyond a minute in a place that
	// the first look had not shown.
	Late int64
	// Notes say what an operator may want to know: a stream that was sorted.
	Notes []string
}

// FileSummary tells what was read of one file.
type FileSummary struct {
	Path string
	// Format is its format's name, empty when the file was refused; Packed is
	// "gzip", "zstd" or empty.
	Format, Packed string
	Order          Order
	// Lines and Bytes count the unpacked text, Size is the file's on disk.
	Lines, Bytes, Size int64
	Events             int64
	// Quarantined counts by code what was set aside.
	Quarantined map[string]int64
	// First and Last are the times of the oldest and the newest event; zero when
	// there is none.
	First, Last time.Time
}
