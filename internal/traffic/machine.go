package traffic

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"vigil"
)

// vectorStore is where the bot looks up passages and memories.
const vectorStore = "vector"

// vectorCases is what the bot asks of the vector store: the articles mostly, and
// what it remembers of its own customer.
var vectorCases = []op{
	{vigil.ActionSearch, "kb_chunks", "public", 55, 5, 0, 1_100, 5, current, 3, []string{"text", "source"}, vectorStore},
	{vigil.ActionSearch, "kb_chunks", "public", 22, 8, 0, 1_100, 8, current, 3, []string{"text", "source"}, vectorStore},
	{vigil.ActionSearch, "kb_chunks", "public", 3, 20, 0, 1_100, 20, current, 3, []string{"text", "source", "score"}, vectorStore},
	{vigil.ActionSearch, "memories", "content", 20, 3, 0.4, 700, 5, current, 2, []string{"text"}, vectorStore},
}

// vectorDuties is what an indexer does where there is a vector store too.
var vectorDuties = append(slices.Clone(indexDuties),
	op{vigil.ActionWrite, "kb_chunks", "", 8, 40, 0.5, 0, 0, nobody, 2, nil, vectorStore})

// converse makes a bot's hour: conversations that overlap, each in a session of
// its own, in turns of a few tool calls.
func (a *actor) converse(w *World, h, n int, out []*vigil.Event) []*vigil.Event {
	start := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	last := h == w.cfg.Days*24-1
	rng := a.rng
	for n > 0 {
		at := start.Add(time.Duration(rng.Float64() * float64(time.Hour)))
		a.session, a.last = "", at
		a.begin(w, at)
		a.session = "b-" + strconv.Itoa(a.index) + "-" + strconv.Itoa(a.chats)
		a.chats++
		a.open(w, at)
		k := min(n, 2+a.left)
		a.left = 0
		n -= k
		for i := range k {
			if i > 0 { // calls follow each other in a turn; the customer takes longer
				pause := lognormal(rng, 0.7, 0.6)
				if rng.Float64() < 0.3 {
					pause = lognormal(rng, 35, 0.7)
				}
				at = at.Add(time.Duration(pause * float64(time.Second)))
			}
			if end := start.Add(time.Hour); last && !at.Before(end) {
				at = end.Add(-time.Millisecond)
			}
			e := a.stamp(w, at.Truncate(time.Millisecond))
			a.fill(w, e, a.step(w, i == 0))
			e.Principal = Customer(a.customer)
			if e.Conversation == "" {
				e.Conversation = a.talk
			}
			out = append(out, e)
		}
	}
	return out
}

// maxNamed bounds the customers that one statement of a machine names.
const maxNamed = 2_000

// exportAll makes the hour of the nightly export: table after table, each from
// the first customer to the last. Several jobs share the customers.
func (a *actor) exportAll(w *World, start time.Time, n int, out []*vigil.Event) []*vigil.Event {
	job, jobs := 0, 0
	for _, b := range w.actors {
		if b.role == a.role {
			if b == a {
				job = jobs
			}
			jobs++
		}
	}
	known := w.Customers(start)
	low, high := known*job/jobs, known*(job+1)/jobs
	// Contacts come first and are never left out; the rest as there is time.
	parts := [4]int{max(1, n*30/100), n * 25 / 100, n * 35 / 100, 0}
	parts[3] = max(0, n-parts[0]-parts[1]-parts[2])
	table, done := 0, 0
	for _, at := range a.instants(n) {
		for table < 3 && done == parts[table] {
			table, done = table+1, 0
		}
		e := a.stamp(w, start.Add(at))
		from, to := low+(high-low)*done/parts[table], low+(high-low)*(done+1)/parts[table]
		a.exportPart(e, table, done == parts[table]-1, from, to)
		done++
		out = append(out, e)
	}
	return out
}

// exportPart reads the customers from until before to of one table.
func (a *actor) exportPart(e *vigil.Event, table int, last bool, from, to int) {
	if table == 3 && last {
		put(a.rng, e, &etlDuties[4])
		return
	}
	o := &etlDuties[[4]int{2, 0, 1, 3}[table]]
	put(a.rng, e, o)
	perCustomer := [4]float64{1, 1.3, 9, 0.2}[table]
	e.Rows = int64(float64(to-from) * perCustomer)
	e.Limit = max(5_000, (e.Rows+4_999)/5_000*5_000)
	e.Bytes = 120 + int64(float64(e.Rows)*lognormal(a.rng, o.rowBytes, 0.1))
	e.SubjectCount = int64(to - from)
	if table == 0 {
		e.Subjects = names(from, min(to, from+maxNamed))
	}
}

// names lists the customers from until before to.
func names(from, to int) []string {
	out := make([]string, 0, max(0, to-from))
	for c := from; c < to; c++ {
		out = append(out, Customer(c))
	}
	return out
}

// fetch fills in what changed since a vendor's sync last came, which may be nothing.
func (a *actor) fetch(w *World, e *vigil.Event) {
	e.Subjects = nil
	for _, t := range w.pool.changed(a.synced, e.Time, 200) {
		if c := Customer(t.customer); !slices.Contains(e.Subjects, c) {
			e.Subjects = append(e.Subjects, c)
		}
	}
	a.synced = e.Time
	e.SubjectCount = int64(len(e.Subjects))
	e.Rows = e.SubjectCount
	e.Bytes = 120 + 500*e.Rows
}

// reindex builds the search index and the vector store anew, in one night.
type reindex struct {
	rng  *rand.Rand
	a    *actor
	when span
	n    int // statements in all
	done int
}

// planReindex picks an indexer and the night of a Saturday.
func (w *World) planReindex(rng *rand.Rand) {
	a := w.pick(rng, "index")
	if a == nil {
		return
	}
	d := int((0.5 + 0.3*rng.Float64()) * float64(w.cfg.Days))
	for k := range 7 {
		if w.midnight(d-k).Weekday() == time.Saturday && d-k > 0 {
			d -= k
			break
		}
	}
	at := w.midnight(d).Add(time.Duration(60*19+rng.IntN(90)) * time.Minute)
	end := at.Add(time.Duration(120+rng.IntN(90)) * time.Minute)
	if _, last := w.Span(); !end.Before(last) {
		return
	}
	r := &reindex{rng: rng, a: a, when: span{at, end}, n: min(5_000, max(40, w.Customers(at)/60))}
	w.sources = append(w.sources, r)
	w.note(Occurrence{Happening: Reindex, Start: at, End: end, Actors: []string{a.ID}, Note: "search index and vector store built anew"})
}

func (r *reindex) hour(w *World, h int, out []*vigil.Event) []*vigil.Event {
	from := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	to := from.Add(time.Hour)
	known := w.Customers(r.when.from)
	step := r.when.to.Sub(r.when.from) / time.Duration(r.n)
	for r.done < r.n {
		at := r.when.from.Add(time.Duration(r.done)*step + time.Duration(r.rng.Float64()*float64(step)/2)).Truncate(time.Millisecond)
		if !at.Before(to) {
			break
		}
		if at.Before(from) { // drawn anew, and less late than in the hour before
			at = from
		}
		read := r.a.stamp(w, at)
		put(r.rng, read, &indexDuties[0])
		low, high := known*r.done/r.n, known*(r.done+1)/r.n
		read.Subjects, read.SubjectCount = names(low, min(high, low+maxNamed)), int64(high-low)
		read.Rows = int64(high-low) * 9
		read.Limit, read.Bytes, read.Purpose = max(500, read.Rows), 120+310*read.Rows, "reindex"
		write := r.a.stamp(w, at.Add(step/4).Truncate(time.Millisecond))
		write.Action, write.Resource, write.Store = vigil.ActionWrite, "kb_chunks", vectorStore
		write.Rows, write.Purpose = read.Rows/3, "reindex"
		write.Shape = shape(write.Action, write.Resource, 1)
		out = append(out, read, write)
		r.done++
	}
	return out
}
