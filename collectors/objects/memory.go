package objects

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

const (
	// maxDone bounds the objects that are remembered as read; those changed in the last
	// hour are, however many they are.
	maxDone = 100_000
	// keptAlways is how far back that reaches.
	keptAlways = 2 * time.Hour
	// maxTroubled bounds the objects that are tried again later.
	maxTroubled = 200
)

// memory is what is known of the objects that were read: which of those changed lately,
// and that all older ones were.
type memory struct {
	// floor is the time before whose changes everything counts as read.
	floor time.Time
	// latest is the latest change up to which listings were read.
	latest time.Time
	// done holds the hashes of the objects read, with the hour in which each changed;
	// hours holds them by hour, and packed in their form in the position.
	done   map[uint64]int64
	hours  map[int64][]uint64
	packed map[int64]string
	// now is the object that is being read.
	now      reading
	troubled []*troubled
}

// reading is an object of which a part is handed over.
type reading struct {
	Key     []byte `json:"key,omitempty"`
	Version string `json:"version,omitempty"`
	// Place is where its rest begins, in the unpacked text.
	Place int64 `json:"place,omitempty"`
}

// troubled is an object that could not be read and is tried again.
type troubled struct {
	Key     []byte        `json:"key"`
	Version string        `json:"version"`
	Changed time.Time     `json:"changed"`
	Since   time.Time     `json:"since"`
	Next    time.Time     `json:"next"`
	Wait    time.Duration `json:"wait"`
}

func newMemory(floor time.Time) *memory {
	return &memory{floor: floor, done: map[uint64]int64{}, hours: map[int64][]uint64{}, packed: map[int64]string{}}
}

// fingerprint tells an object with its content from all others.
func fingerprint(key, version string) uint64 {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(key))))
	h.Write([]byte(key))
	h.Write([]byte(version))
	return binary.BigEndian.Uint64(h.Sum(nil))
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// new says that an object with this content was not read.
func (m *memory) new(o object) bool {
	if o.changed.Before(m.floor) {
		return false
	}
	_, known := m.done[fingerprint(o.key, o.version)]
	return !known
}

// read says that this very content was read, as far as is remembered.
func (m *memory) read(key, version string) bool {
	_, known := m.done[fingerprint(key, version)]
	return known
}

// add notes an object as read.
func (m *memory) add(o object) {
	print, hour := fingerprint(o.key, o.version), hourOf(o.changed)
	if _, known := m.done[print]; known {
		return
	}
	m.done[print] = hour
	m.hours[hour] = append(m.hours[hour], print)
	delete(m.packed, hour)
}

// advance moves the floor up behind the latest change that was read in the order of
// changes, and forgets what lies below.
func (m *memory) advance(changed, now time.Time, lookback time.Duration) {
	// A change from the future says nothing about what came before it.
	if changed.After(now) {
		changed = now
	}
	if changed.After(m.latest) {
		m.latest = changed
	}
	if floor := m.latest.Add(-lookback); floor.After(m.floor) {
		m.floor = floor
	}
	m.trim()
}

// trim forgets what lies below the floor, and the oldest of too many.
func (m *memory) trim() {
	floor := hourOf(m.floor)
	for _, hour := range slices.Sorted(maps.Keys(m.hours)) {
		end := time.Unix((hour+1)*3600, 0)
		switch {
		case hour < floor:
		case len(m.done) > maxDone && end.Before(m.latest.Add(-keptAlways)):
			m.floor = end
		default:
			return
		}
		for _, print := range m.hours[hour] {
			delete(m.done, print)
		}
		delete(m.hours, hour)
		delete(m.packed, hour)
	}
}

// saved is the memory as the position holds it.
type saved struct {
	Place    string           `json:"place"`
	Floor    time.Time        `json:"floor"`
	Latest   time.Time        `json:"latest"`
	Done     map[int64]string `json:"done,omitempty"`
	Now      *reading         `json:"now,omitempty"`
	Troubled []*troubled      `json:"troubled,omitempty"`
}

// position is the memory of a place as bytes: some 11 bytes for each object read lately.
func (m *memory) position(p place) ([]byte, error) {
	for hour, prints := range m.hours {
		if _, ok := m.packed[hour]; !ok {
			raw := make([]byte, 0, 8*len(prints))
			for _, print := range prints {
				raw = binary.BigEndian.AppendUint64(raw, print)
			}
			m.packed[hour] = base64.RawStdEncoding.EncodeToString(raw)
		}
	}
	s := saved{Place: p.String(), Floor: m.floor, Latest: m.latest, Done: m.packed, Troubled: m.troubled}
	if m.now.Key != nil {
		s.Now = &m.now
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("save the position: %w", err)
	}
	return b, nil
}

// recall is the memory of a place; nil for a position of another one, or of none, or one
// that is damaged.
func (s *saved) recall(p place) *memory {
	if s.Place != p.String() {
		return nil
	}
	m := newMemory(s.Floor)
	m.latest, m.troubled = s.Latest, slices.DeleteFunc(s.Troubled, func(t *troubled) bool { return t == nil })
	for hour, text := range s.Done {
		raw, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil || len(raw)%8 != 0 {
			return nil
		}
		for ; len(raw) > 0; raw = raw[8:] {
			print := binary.BigEndian.Uint64(raw)
			m.done[print] = hour
			m.hours[hour] = append(m.hours[hour], print)
		}
	}
	if s.Now != nil {
		m.now = *s.Now
	}
	return m
}
