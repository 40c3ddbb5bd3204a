package elasticsearch

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// defaultSize is the page of a search that names none.
const defaultSize = 10

// slow reads a record of a slow log: of searches or of indexing, one for each shard.
func (d *reader) slow(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	at, bad := d.when(v, "@timestamp", "timestamp")
	if bad != nil {
		return bad
	}
	get := func(name string) string {
		for _, p := range []string{`elasticsearch\.slowlog\.` + name, name, gjson.Escape(name)} {
			if s := r.String(v.Get(p), 1<<16); s != "" {
				return s
			}
		}
		return ""
	}
	e := r.Event()
	e.Time = at
	kind := v.Get("type").Str + v.Get(`log\.logger`).Str + v.Get(`event\.dataset`).Str
	d.slowly(r, e, get, strings.Contains(kind, "indexing") || v.Get(`elasticsearch\.slowlog\.doc_type`).Exists(), emit)
	return nil
}

func (d *reader) slowly(r *record.Record, e *vigil.Event, get fields, writes bool, emit func(*vigil.Event)) {
	act(e, first(get("user.name"), get("auth.name")))
	e.Actor.App = app(r.Clean(get("id"), 128)) // X-Opaque-Id, by which clients name themselves
	e.Outcome = vigil.OutcomeSuccess
	index, _, _ := strings.Cut(strings.TrimPrefix(get("message"), "["), "]")
	index, _, _ = strings.Cut(index, "/") // the index's own id follows
	e.Action, e.Shape = vigil.ActionSearch, "search"
	if writes {
		e.Action, e.Shape = vigil.ActionWrite, "index"
	}
	table := d.resource(r, e, []string{index})
	if table.Ignore {
		return
	}
	if !writes {
		d.body(r, e, table, get("source"), defaultSize)
		// "19 hits", "10000+ hits": what matched, of which a page came back.
		hits, _, _ := strings.Cut(get("total_hits"), " ")
		if n := formats.Count(strings.TrimSuffix(hits, "+")); n != vigil.Unknown {
			if page := e.Limit; page != vigil.Unknown {
				n = min(n, page)
			}
			e.Rows = n
		}
	}
	emit(e)
}

// app is what a client calls itself in X-Opaque-Id. Some put an id of the request there.
func app(s string) string {
	if formats.GeneralName(s) != s {
		return ""
	}
	return s
}

func first(s ...string) string {
	for _, t := range s {
		if t != "" {
			return t
		}
	}
	return ""
}
