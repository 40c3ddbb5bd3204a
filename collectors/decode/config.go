// Package decode turns what comes in messages into events: those of a queue, a syslog
// connection, an API's page, a row of a table. Files have their own reader, since there
// lines, rotations and packing matter.
//
// A collector makes one [Stream] for whatever has an order of its own (a partition, a
// connection) and gives it message by message; what comes of each is put into the
// collector's batch. The format is the configured one, or found by looking at the first
// message, and looked for again at a message that the one found can't read at all.
// A Stream is for one goroutine and holds one decoder, whose memory is bounded; it waits
// for nobody and does no I/O.
package decode

import (
	"errors"
	"fmt"

	"vigil/collectors/formats"
)

// MaxMessage bounds one message, in bytes. A longer one is set aside whole.
const MaxMessage = 16 << 20

// Config says how a source's messages are read.
type Config struct {
	// Source and Store are stamped on events: the source on all, the store on those
	// that name none.
	Source, Store string
	// Formats are the formats there are. Required.
	Formats []formats.Format
	// Format names the one to use; empty finds it by looking.
	Format string
	// Params are the formats' settings, by format name and setting name.
	Params map[string]map[string]string
	// Mapping says how the store names its subjects and conversations. May be nil.
	Mapping *formats.Mapping
}

// Check says whether streams can be made: the error names the format or the setting
// that can't be used.
func (c *Config) Check() error {
	if c.Source == "" {
		return errors.New("no source is named")
	}
	if len(c.Formats) == 0 {
		return errors.New("no formats are given")
	}
	if c.Format == "" {
		return nil
	}
	f, err := formats.ByName(c.Formats, c.Format)
	if err != nil {
		return err
	}
	_, err = c.decoder(f, "check", nil)
	return err
}

func (c *Config) decoder(f formats.Format, name string, sample []byte) (formats.Decoder, error) {
	d, err := f.New(formats.Options{
		Source: c.Source, Store: c.Store, File: name, Sample: sample, Params: c.Params[f.Name()], Mapping: c.Mapping,
	})
	if err != nil {
		return nil, fmt.Errorf("read as %s: %w", f.Name(), err)
	}
	return d, nil
}
