package redis

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// aclKeys are what an entry of ACL LOG holds; the last three since 7.2.
var aclKeys = []string{
	"count", "reason", "context", "object", "username", "age-seconds", "client-info", "entry-id", "timestamp-created", "timestamp-last-updated",
}

func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// aclDump puts together what redis-cli shows of ACL LOG line by line. Entries of servers
// before 7.2 tell their age alone: there the answer to TIME must stand before them.
type aclDump struct {
	entry map[string]string
	key   string
	told  bool // the entry in hand has come out
	// taken is when the dump was made, zero for unknown, in nanoseconds since 1970;
	// seconds is the first half of it.
	taken   int64
	seconds int64
}

type savedDump struct {
	Entry          map[string]string
	Key            string
	Told           bool
	Taken, Seconds int64
}

func (a *aclDump) saved() savedDump { return savedDump{a.entry, a.key, a.told, a.taken, a.seconds} }

func (a *aclDump) restore(s savedDump) {
	*a = aclDump{entry: s.Entry, key: s.Key, told: s.Told, taken: s.Taken, seconds: s.Seconds}
}

// line takes a line: m is its number, its key if it has one (RESP3), and its value.
func (a *aclDump) line(d *reader, r *record.Record, m [][]byte, emit func(*vigil.Event)) error {
	value := string(m[3])
	if strings.HasPrefix(value, "(") {
		_, value, _ = strings.Cut(value, ") ")
	} else if args, ok := unquote(value); ok && len(args) == 1 {
		value = args[0]
	}
	value = r.Clean(value, 1024)
	switch {
	case len(m[2]) > 0:
		return a.set(d, r, strings.Trim(string(m[2]), `"`), value, emit)
	case a.key != "":
		key := a.key
		a.key = ""
		return a.set(d, r, key, value, emit)
	}
	for _, k := range aclKeys {
		if value == k {
			a.key = k
			return nil
		}
	}
	// The two numbers of TIME.
	switch n := formats.Count(value); {
	case n == vigil.Unknown:
	case string(m[1]) == "1" && len(value) == 10:
		a.seconds = n
	case string(m[1]) == "2" && n < 1_000_000 && a.seconds > 0:
		a.taken = a.seconds*int64(time.Second) + n*1000
		a.seconds = 0
	}
	return nil
}

// set notes a value of the entry in hand, and tells the entry when it is whole.
func (a *aclDump) set(d *reader, r *record.Record, key, value string, emit func(*vigil.Event)) error {
	var err error
	if key == "count" {
		if len(a.entry) > 0 && !a.told {
			err = d.refused(r, a.entry, emit)
		}
		a.entry, a.told = make(map[string]string, len(aclKeys)), false
	}
	if a.entry == nil || a.told || !slices.Contains(aclKeys, key) {
		return err
	}
	a.entry[key] = value
	if key == "client-info" && a.taken > 0 {
		if age, e := strconv.ParseFloat(a.entry["age-seconds"], 64); e == nil && age >= 0 && age < 1e9 {
			a.entry["timestamp-created"] = strconv.FormatInt((a.taken-int64(age*float64(time.Second)))/int64(time.Millisecond), 10)
		}
	}
	if key == "timestamp-last-updated" || key == "client-info" && a.entry["timestamp-created"] != "" {
		a.told = true
		return d.refused(r, a.entry, emit)
	}
	return err
}

// refused tells an entry of ACL LOG.
func (d *reader) refused(r *record.Record, entry map[string]string, emit func(*vigil.Event)) error {
	at, ok := formats.Time(entry["timestamp-created"], nil)
	if !ok {
		age, err := strconv.ParseFloat(entry["age-seconds"], 64)
		if r.Carrier.Time.IsZero() || err != nil || math.IsNaN(age) || age < 0 || age > 1e9 {
			return formats.Errorf("time", "the entry has no time: servers before 7.2 tell its age alone, so write the answer of TIME before that of ACL LOG")
		}
		at = r.Carrier.Time.Add(-time.Duration(age * float64(time.Second)))
	}
	info := entry["client-info"]
	known, _ := d.clients.Get(addrOf(info))
	addr := d.client(r, info)
	if c, ok := d.clients.Get(addr); ok && entry["reason"] == "auth" {
		// The user in the entry is the one that was tried.
		c.User = known.User
		d.clients.Put(addr, c)
	}
	e := d.event(r, addr)
	e.Time, e.Outcome = at, vigil.OutcomeDenied
	act(e, entry["username"])
	object := entry["object"]
	switch entry["reason"] {
	case "auth":
		e.Action, e.Shape = vigil.ActionLogin, "auth"
	case "command":
		v, name, _ := lookup(strings.SplitN(object, "|", 2))
		if e.Action = v.action; e.Action == "" {
			e.Action = vigil.ActionOther
		}
		e.Resource, e.Shape = v.resource, r.Clean(name, 48)
	case "channel":
		e.Action, e.Resource, e.Shape = vigil.ActionRead, "channels", "channel"
	default: // key
		cmd := ""
		for field := range strings.FieldsSeq(info) {
			if c, ok := strings.CutPrefix(field, "cmd="); ok {
				cmd = c
			}
		}
		v, name, _ := lookup(strings.SplitN(cmd, "|", 2))
		if v.action == "" {
			v.action = vigil.ActionOther
		}
		v.keys = one
		d.fill(r, e, v, name, []string{object})
	}
	if id := entry["entry-id"]; id != "" {
		e.ID = "acl-" + id + "-" + strconv.FormatInt(at.UnixMilli(), 10)
	}
	emit(e)
	return nil
}

func addrOf(info string) string {
	for field := range strings.FieldsSeq(info) {
		if a, ok := strings.CutPrefix(field, "addr="); ok {
			return a
		}
	}
	return ""
}
