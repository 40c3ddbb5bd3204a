package features

import (
	"strings"

	"vigil"
)

// Value is one category's value in an event. An empty label means that the event
// does not tell.
type Value struct {
	Hash  uint64
	Label string
}

// Reader reads the categories of events. It remembers client programs so that a
// version number is stripped once; it is not safe for concurrent use.
type Reader struct {
	families  map[string]string
	resources map[[2]string]string
}

// The bound on what a Reader remembers; at the bound it starts afresh.
const readerMemory = 4096

// Categories fills out with the values of e.
func (r *Reader) Categories(e *vigil.Event, out *[Categories]Value) {
	set := func(c Category, label string) {
		if label == "" {
			out[c] = Value{}
			return
		}
		out[c] = Value{Hash: Hash(label), Label: label}
	}
	set(Network, e.Network)
	set(Resource, r.resource(e.Store, e.Resource))
	set(Action, string(e.Action))
	agent := e.Actor.App
	if agent == "" {
		agent = e.UserAgent
	}
	set(Agent, r.Family(agent))
	set(Shape, e.Shape)
	h := hourOf(e.Time.Unix())
	out[Hour] = Value{Hash: uint64(h) + 1, Label: hourLabels[h]}
}

func (r *Reader) resource(store, name string) string {
	if store == "" || name == "" {
		return name
	}
	key := [2]string{store, name}
	if s, ok := r.resources[key]; ok {
		return s
	}
	if r.resources == nil || len(r.resources) >= readerMemory {
		r.resources = make(map[[2]string]string)
	}
	s := store + "/" + name
	r.resources[key] = s
	return s
}

// Family strips version numbers from a client's name: an update is no news.
func (r *Reader) Family(agent string) string {
	if agent == "" {
		return ""
	}
	if f, ok := r.families[agent]; ok {
		return f
	}
	if r.families == nil || len(r.families) >= readerMemory {
		r.families = make(map[string]string)
	}
	var b strings.Builder
	digits := false
	for i := 0; i < len(agent) && i < 300; i++ {
		c := agent[i]
		isDigit := c >= '0' && c <= '9'
		switch {
		case isDigit && !digits:
			b.WriteByte('#')
			digits = true
		case isDigit, digits && (c == '.' || c == '_'):
		default:
			digits = false
			b.WriteByte(c)
		}
	}
	f := b.String()
	r.families[agent] = f
	return f
}

// hourLabels are the hours of working days and of weekends.
var hourLabels = func() (l [48]string) {
	for h := range 24 {
		two := string([]byte{byte('0' + h/10), byte('0' + h%10)})
		l[h] = two + ":00 on a weekday"
		l[24+h] = two + ":00 at the weekend"
	}
	return l
}()

// HourLabel is the label of hour h, 0 to 47: those of working days, then those of
// weekends. Its value's hash is h+1.
func HourLabel(h uint64) string {
	if h >= uint64(len(hourLabels)) {
		return ""
	}
	return hourLabels[h]
}

func hourOf(unix int64) int {
	day := floorMod(floorDiv(unix, 86400)+mondayShift, 7)
	h := int(floorMod(unix, 86400) / 3600)
	if day >= 5 {
		h += 24
	}
	return h
}

// Hash is FNV-1a: stable across machines and versions, since it is kept.
func Hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h ^= uint64(s[i])
		h *= 1099511628211
	}
	return h
}
