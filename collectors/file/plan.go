package file

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/text"
)

// member is one file of a stream.
type member struct {
	path    string
	size    int64
	regular bool
	// in is kept open for what can be read only once, such as a pipe.
	in     *input
	packed string
	format formats.Format
	sample []byte
	probe  probe
	stats  FileSummary
	// refused says that the file as a whole is not read.
	refused bool
	// ended is set, under the Reader's lock, when the stream is read to its end.
	ended bool
}

// part is what one decoder reads: one file, or the files of one rotation family.
type part struct {
	family  string
	members []*member
}

// stream is what the merge sees as one: mostly one part. Where there are more
// logs at the same time than may be open, the stream is many parts that are
// sorted together.
type stream struct {
	parts  []*part
	order  Order
	first  time.Time
	number int
}

// maxOpen bounds the streams that are read side by side.
const maxOpen = 64

// expand lists the files that the arguments name: files, directories (with all below
// them), globs, and "-" for the standard input. A name that leads to nothing is
// an error.
func expand(args []string) ([]string, error) {
	seen := map[string]bool{}
	var paths []string
	var errs []error
	add := func(path string) {
		path = filepath.Clean(path)
		if !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
	}
	for _, arg := range args {
		if arg == "-" {
			add("/dev/stdin")
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err == nil && info.IsDir():
			found := 0
			err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				if d.Type().IsRegular() && !strings.HasPrefix(d.Name(), ".") {
					found++
					add(path)
				}
				return nil
			})
			if err != nil {
				errs = append(errs, fmt.Errorf("read folder %s: %w", arg, text.PlainError(err)))
			} else if found == 0 {
				errs = append(errs, fmt.Errorf("folder %s holds no files", arg))
			}
		case err == nil:
			add(arg)
		default:
			matches, globErr := glob(arg)
			if globErr != nil || len(matches) == 0 {
				errs = append(errs, fmt.Errorf("open %s: %w", arg, text.PlainError(err)))
				continue
			}
			slices.Sort(matches)
			for _, m := range matches {
				if info, err := os.Stat(m); err == nil && !info.IsDir() {
					add(m)
				}
			}
		}
	}
	return paths, errors.Join(errs...)
}

// look opens one file, finds what it is, and reads enough of it to know how it
// runs in time. A refusal is an error of type *refusal.
func look(path string, cfg *Config, packedBytes *atomic.Int64) (*member, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &refusal{Code: "unreadable", Reason: fmt.Sprintf("the file can't be opened: %v", text.PlainError(err))}
	}
	m := &member{path: path, size: info.Size(), regular: info.Mode().IsRegular()}
	m.stats = FileSummary{Path: path, Size: m.size, Quarantined: map[string]int64{}}
	var count atomic.Int64
	counter := &count
	if !m.regular {
		counter = packedBytes
	}
	in, err := openInput(path, counter)
	if err != nil {
		return m, err
	}
	if m.regular {
		defer in.Close()
	} else {
		m.in = in
	}
	m.packed, m.stats.Packed = in.Packed, in.Packed
	in.SkipHole()
	m.sample = slices.Clone(in.Sample())
	if err := text.RefuseBinary(m.sample); err != nil {
		return m, err
	}
	if cfg.Format != "" {
		m.format, err = formats.ByName(cfg.Formats, cfg.Format)
		if err != nil {
			return m, err
		}
	} else if text := strings.TrimLeft(string(m.sample), "\x00 \t\r\n"); text != "" {
		m.format, _, err = formats.Choose(cfg.Formats, []byte(text))
		if err != nil {
			return m, &refusal{Code: "format", Reason: err.Error()}
		}
	}
	if m.format == nil {
		return m, nil
	}
	dec, err := newDecoder(cfg, m.format, path, m.sample)
	if err != nil {
		return m, &refusal{Code: "format", Reason: err.Error()}
	}
	m.probe = probeTimes(m, in, dec)
	return m, nil
}

func newDecoder(cfg *Config, f formats.Format, name string, sample []byte) (formats.Decoder, error) {
	dec, err := f.New(formats.Options{
		Source: cfg.Source, Store: cfg.Store, File: name, Sample: sample,
		Params: cfg.Params[f.Name()], Mapping: cfg.Mapping,
	})
	if err != nil {
		return nil, fmt.Errorf("read as %s: %w", f.Name(), err)
	}
	return dec, nil
}

// plan makes streams of the files that can be read.
func plan(members []*member) []*stream {
	byFamily := map[string]*part{}
	var parts []*part
	for _, m := range members {
		name := ""
		if m.format != nil {
			name = m.format.Name()
		}
		key := familyOf(m.path) + "\x00" + name
		p := byFamily[key]
		if p == nil {
			p = &part{family: familyOf(m.path)}
			byFamily[key] = p
			parts = append(parts, p)
		}
		p.members = append(p.members, m)
	}
	parts = slices.DeleteFunc(parts, func(p *part) bool { return p.members[0].format == nil })
	var streams []*stream
	for _, p := range parts {
		for _, q := range p.split() {
			streams = append(streams, q.stream())
		}
	}
	streams = gather(streams)
	for i, s := range streams {
		s.number = i
	}
	return streams
}

// split puts the members in the order of their times, and takes the part apart when
// they turn out to run side by side: then they are no rotations of one log.
func (p *part) split() []*part {
	slices.SortStableFunc(p.members, func(a, b *member) int {
		if c := a.probe.first.Compare(b.probe.first); c != 0 {
			return c
		}
		return cmp.Compare(a.path, b.path)
	})
	var last time.Time
	for _, m := range p.members {
		if !last.IsZero() && !m.probe.first.IsZero() && m.probe.first.Before(last.Add(-reorderWindow)) {
			alone := make([]*part, 0, len(p.members))
			for _, m := range p.members {
				alone = append(alone, &part{family: m.path, members: []*member{m}})
			}
			return alone
		}
		if m.probe.last.After(last) {
			last = m.probe.last
		}
	}
	return []*part{p}
}

// stream makes one stream of a part. One member that doesn't run from old to
// new makes the whole of it sorted.
func (p *part) stream() *stream {
	s := &stream{parts: []*part{p}, order: OldestFirst}
	for _, m := range p.members {
		if s.first.IsZero() || !m.probe.first.IsZero() && m.probe.first.Before(s.first) {
			s.first = m.probe.first
		}
		switch {
		case m.probe.order == Unordered || m.probe.order == NewestFirst && len(p.members) > 1:
			s.order = Unordered
		case m.probe.order == NewestFirst && s.order == OldestFirst:
			s.order = NewestFirst
		}
	}
	for _, m := range p.members {
		m.stats.Order = s.order
		if m.probe.order != "" {
			m.stats.Order = m.probe.order
		}
	}
	return s
}

// gather joins the smallest streams into one that is sorted, where more of them
// overlap in time than may be open.
func gather(streams []*stream) []*stream {
	type edge struct {
		at    time.Time
		delta int
	}
	var edges []edge
	for _, s := range streams {
		edges = append(edges, edge{s.first, 1}, edge{s.last().Add(reorderWindow), -1})
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return cmp.Compare(b.delta, a.delta)
	})
	open, most := 0, 0
	for _, e := range edges {
		open += e.delta
		most = max(most, open)
	}
	if most <= maxOpen {
		return streams
	}
	bySize := slices.Clone(streams)
	slices.SortStableFunc(bySize, func(a, b *stream) int { return cmp.Compare(b.size(), a.size()) })
	alone := map[*stream]bool{}
	for _, s := range bySize[:maxOpen/2] {
		alone[s] = true
	}
	rest := &stream{order: Unordered}
	var out []*stream
	for _, s := range streams {
		if alone[s] {
			out = append(out, s)
		} else {
			rest.parts = append(rest.parts, s.parts...)
		}
	}
	return append(out, rest)
}

func (s *stream) size() int64 {
	var n int64
	for _, p := range s.parts {
		for _, m := range p.members {
			n += m.size
		}
	}
	return n
}

func (s *stream) last() time.Time {
	last := s.first
	for _, p := range s.parts {
		for _, m := range p.members {
			if m.probe.last.After(last) {
				last = m.probe.last
			}
		}
	}
	return last
}

// refused makes a quarantine record of a file that is not read.
func refused(source, path string, size int64, r *refusal) vigil.Quarantined {
	return vigil.Quarantined{Source: source, File: path, Reason: r.Reason, Code: r.Code, Size: size}
}
