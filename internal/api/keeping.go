package api

import (
	"context"

	"vigil"
)

// Sight is what could be seen with what the sources and feeds tell.
type Sight struct {
	// Looked accesses, of Held that are there, were looked at: the newest.
	Looked, Held int64
	// Feeds are the kinds of fact that the configuration has somebody tell.
	Feeds []vigil.FactKind
	// Rows are none while nothing has arrived.
	Rows []SightRow
}

// SightRow is a kind of breach, and whether it could be seen.
type SightRow struct {
	ID, Name string
	// Seen is "seen", "partly" or "blind".
	Seen string
	// By is what shows it, empty when nothing does; Lacks what is missing for all of it,
	// Mend the one setting that would help most.
	By    string
	Lacks []string
	Mend  string
}

// SampleReading is how a piece of a log is read.
type SampleReading struct {
	// Format it was read as, Sure of it from 0 to 1; Next is the second best, empty for none.
	Format, Next   string
	Sure, NextSure float64
	Events         []ReadEvent
	// More events and problems there were than are listed.
	More     int
	Problems []string
}

// ReadEvent is one access, field by field.
type ReadEvent struct{ Fields []ReadField }

// ReadField is a field, what it means, and where in the record it stands, empty where it
// was made of several things.
type ReadField struct{ Name, Value, Meaning, From string }

// MaxSample bounds a piece of a log that is read to be looked at, in bytes.
const MaxSample = 64 << 10

// SourceKeeper tells what those who keep sources ask for. Each look is recorded before it
// is granted.
type SourceKeeper interface {
	// SetAside returns the newest records that could not be read, the newest first: where
	// they stand and why, not what is in them.
	SetAside(ctx context.Context, max int) ([]vigil.Quarantined, error)
	// Sight returns what could be seen, as it was within the last minutes.
	Sight(ctx context.Context) (Sight, error)
	// ReadSample reads a text in memory, as a source of that format would be, or of the
	// format that fits best where none is named. Nothing of it is kept. The error wraps
	// ErrRefused when no format fits.
	ReadSample(ctx context.Context, format string, text []byte) (SampleReading, error)
}
