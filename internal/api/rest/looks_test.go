package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/api/rest"
)

// explorer lists accesses in memory, by event time.
type explorer struct {
	api.FindingExplorer
	events []*vigil.Event
	asked  []api.EventFilter
}

func (e *explorer) FindingAccesses(_ context.Context, _ string, f api.EventFilter) (page api.EventPage, err error) {
	e.asked = append(e.asked, f)
	for _, x := range e.events {
		if !x.Time.Before(f.From) && (f.Outcome == "" || x.Outcome == f.Outcome) {
			page.Events = append(page.Events, x)
		}
	}
	page.Total = len(page.Events)
	end := min(f.Offset+f.Limit, page.Total)
	page.More = end < page.Total
	page.Events = page.Events[min(f.Offset, end):end]
	return page, nil
}

// Accesses come once each, however many happened at the same time and wherever the pages
// end.
func TestAccessesArePagedByTime(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 2, 3, 5, 7, 100} {
		e := &explorer{}
		var want []string
		for i, second := range []int{0, 1, 1, 1, 1, 1, 2, 3, 3, 3, 4} {
			x := vigil.NewEvent()
			x.ID, x.Time, x.Action, x.Actor.ID = fmt.Sprint("e-", i), at(1).Add(time.Duration(second)*time.Second), vigil.ActionRead, "actor-1"
			e.events, want = append(e.events, x), append(want, x.ID)
		}
		h := servingWith(t, rest.Services{Reader: newStore(1), Explorer: e})
		var got []string
		for cursor, asked := "", 0; asked == 0 || cursor != ""; asked++ {
			var list rest.AccessList
			ask(t, h, "GET", fmt.Sprintf("/api/v1/findings/f-1/events?limit=%d&cursor=%s", limit, cursor), "").into(t, &list)
			for _, x := range list.Events {
				got = append(got, x.ID)
			}
			if list.Total != len(want) || asked > len(want) {
				t.Fatalf("limit %d: total %d at page %d", limit, list.Total, asked)
			}
			cursor = list.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
}

// What a source does not tell is not there, and of many customers some are told.
func TestAccessTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	x := vigil.NewEvent()
	x.ID, x.Time, x.Action, x.Actor.ID, x.Rows = "e-1", at(1), vigil.ActionRead, "actor-1", 0
	x.Subjects = make([]string, api.MaxAccessSubjects+1)
	x.SubjectCount = int64(len(x.Subjects))
	h := servingWith(t, rest.Services{Reader: newStore(1), Explorer: &explorer{events: []*vigil.Event{x}}})
	got := ask(t, h, "GET", "/api/v1/findings/f-1/events", "")
	var list rest.AccessList
	got.into(t, &list)
	if e := list.Events[0]; len(e.Subjects) != api.MaxAccessSubjects || *e.SubjectCount != 1001 || e.Rows == nil || e.Bytes != nil || strings.Contains(got.body, `"bytes"`) {
		t.Errorf("%.300s", got.body)
	}
}

// auditor holds records 1 to n.
type auditor struct {
	api.Auditor
	n uint64
}

func (a *auditor) Audit(_ context.Context, f api.AuditFilter) (page api.AuditPage, err error) {
	for i := range a.n {
		n := a.n - i
		if f.Oldest {
			n = i + 1
		}
		if f.Before > 0 && n >= f.Before || n <= f.After {
			continue
		}
		if len(page.Records) == f.Limit {
			page.More = true
			break
		}
		page.Records = append(page.Records, api.AuditRecord{N: n, Who: f.Who})
	}
	return page, nil
}

// New records in front make none come twice.
func TestAuditIsPagedByNumber(t *testing.T) {
	t.Parallel()
	for oldest, want := range map[string]string{"": "[9 8 7 6 5 4 3 2 1]", "oldest=true&": "[1 2 3 4 5 6 7 8 9 10 11 12]"} {
		a := &auditor{n: 9}
		h := servingWith(t, rest.Services{Reader: newStore(1), Auditor: a})
		var got []uint64
		for cursor, asked := "", 0; asked == 0 || cursor != ""; asked++ {
			var list rest.AuditList
			ask(t, h, "GET", "/api/v1/audit?"+oldest+"limit=4&cursor="+cursor, "").into(t, &list)
			for _, r := range list.Records {
				got = append(got, r.N)
			}
			cursor, a.n = list.Next, 12
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%q: %v", oldest, got)
		}
	}
}

// finder tells who read, of whom it was asked with a purpose.
type finder struct {
	asks []api.ReadersAsk
	read int
}

func (f *finder) AskReaders(_ context.Context, ask api.ReadersAsk) ([]string, error) {
	if ask.Purpose == "" {
		return nil, fmt.Errorf("%w: say why you ask", api.ErrRefused)
	}
	f.asks = append(f.asks, ask)
	return []string{"subject-1"}, nil
}

func (f *finder) ExportReaders(ctx context.Context, ids []string, _ string) (api.ReadersPage, error) {
	return f.Readers(ctx, ids)
}

func (f *finder) Readers(_ context.Context, subjects []string) (api.ReadersPage, error) {
	f.read++
	return api.ReadersPage{Subjects: subjects, Readers: []api.Reading{{Actor: "actor-1", Shown: 2}}, Accesses: 2}, nil
}

// Who reads a customer's data is never told from what was kept of an earlier answer: each
// look is on record.
func TestReadersAreAskedForEachTime(t *testing.T) {
	t.Parallel()
	s, f := newStore(1), &finder{}
	h := servingWith(t, rest.Services{Reader: s, Readers: f, Once: s})
	const question = `{"customer":"4711","purpose":"they asked for it"}`
	for range 2 {
		got := ask(t, h, "POST", "/api/v1/readers", question, rest.OnceHeader, "k-1")
		if got.code != 200 || strings.Contains(got.body, "4711") || !strings.Contains(got.body, `"accesses_shown":2`) {
			t.Fatalf("%d %s", got.code, got.body)
		}
	}
	if len(f.asks) != 2 || f.read != 2 || len(s.kept) != 0 {
		t.Errorf("asked %d times, %d answers kept", len(f.asks), len(s.kept))
	}
	if got := ask(t, h, "POST", "/api/v1/readers", `{"customer":"4711","purpose":""}`); got.code != 422 || got.problem(t).Code != api.CodeRefused {
		t.Errorf("without a purpose: %d %s", got.code, got.body)
	}
}

// packer makes a pack that may break off.
type packer struct {
	api.Packs
	refused, broken error
	first           string
}

func (p *packer) Pack(_ context.Context, id string) (string, func(context.Context, io.Writer) error, error) {
	return "vigil-evidence-" + id + ".zip", func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, p.first)
		return errors.Join(err, p.broken)
	}, p.refused
}

func TestPackIsAFile(t *testing.T) {
	t.Parallel()
	h := servingWith(t, rest.Services{Reader: newStore(1), Packs: &packer{first: "PK"}})
	got := ask(t, h, "POST", "/api/v1/cases/c-1/pack", "")
	if got.code != 200 || got.body != "PK" || got.head.Get("Content-Type") != "application/zip" || got.head.Get("Content-Disposition") != "attachment; filename=vigil-evidence-c-1.zip" {
		t.Errorf("%d %v %q", got.code, got.head, got.body)
	}
	h = servingWith(t, rest.Services{Reader: newStore(1), Packs: &packer{refused: api.ErrOwnCase}})
	if got := ask(t, h, "POST", "/api/v1/cases/c-1/pack", ""); got.code != 403 || got.problem(t).Code != api.CodeOwnCase {
		t.Errorf("refused: %d %s", got.code, got.body)
	}
}

// A pack that breaks off is seen to: the connection ends in the middle of it.
func TestPackThatBreaksOffIsNone(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(servingWith(t, rest.Services{Reader: newStore(1), Packs: &packer{first: strings.Repeat("PK", 64<<10), broken: errors.New("the disk is gone")}}))
	defer s.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/cases/c-1/pack", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := s.Client().Do(r)
	if err != nil {
		return // it broke off before anything was read
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("what was sent looks whole")
	}
}

// driller remembers what was asked for.
type driller struct {
	asks    []api.DrillAsk
	stopped string
}

func (d *driller) Drills(context.Context) (api.Drills, error) {
	return api.Drills{Running: &api.DrillRunning{ID: "d-1"}, Choices: []api.DrillChoice{{ID: "one"}}}, nil
}
func (d *driller) StartDrill(_ context.Context, a api.DrillAsk) error {
	if a.Key == "" || a.On == "" {
		return fmt.Errorf("%w: neither recorded nor made-up", api.ErrRefused)
	}
	a.Key = ""
	d.asks = append(d.asks, a)
	return nil
}
func (d *driller) StopDrill(_ context.Context, id string) error { d.stopped = id; return nil }

func TestDrillsAreStartedAndStopped(t *testing.T) {
	t.Parallel()
	s, d := newStore(1), &driller{}
	h := servingWith(t, rest.Services{Reader: s, Driller: d, Once: s})
	for body, code := range map[string]int{`{"on":"made-up"}`: 200, `{"on":"recorded","intensity":0.5,"scenarios":["one"]}`: 200, `{}`: 422, `{"on":"made-up","by":"ann"}`: 400} {
		if got := ask(t, h, "POST", "/api/v1/drills", body); got.code != code || code == 200 && !strings.Contains(got.body, `"running":{"id":"d-1"`) {
			t.Errorf("%s: %d %s", body, got.code, got.body)
		}
	}
	slices.SortFunc(d.asks, func(a, b api.DrillAsk) int { return strings.Compare(string(a.On), string(b.On)) })
	if len(d.asks) != 2 || d.asks[0].Intensity != 1 || d.asks[1].Intensity != .5 || len(d.asks[1].Scenarios) != 1 {
		t.Errorf("asked for %+v", d.asks)
	}
	if got := ask(t, h, "DELETE", "/api/v1/drills/d-1", ""); got.code != 200 || d.stopped != "d-1" {
		t.Errorf("stop: %d", got.code)
	}
}

// touched lists two customers.
type touched struct {
	api.SubjectLister
	asked []api.TouchFilter
}

func (s *touched) CaseSubjects(_ context.Context, _ string, f api.TouchFilter) (page api.TouchPage, err error) {
	s.asked = append(s.asked, f)
	page.Total = 2
	if f.After == "" {
		page.List, page.Next = []api.Touched{{Subject: "subject-1", Touch: api.TouchConfirmed}}, "subject-1"
	} else {
		page.List = []api.Touched{{Subject: "subject-2", Touch: api.TouchPossible}}
	}
	return page, nil
}

func TestCaseSubjectsArePaged(t *testing.T) {
	t.Parallel()
	s := &touched{}
	h := servingWith(t, rest.Services{Reader: newStore(1), Subjects: s})
	var one, two rest.SubjectList
	ask(t, h, "GET", "/api/v1/cases/c-1/subjects?class=health&touch=confirmed", "").into(t, &one)
	ask(t, h, "GET", "/api/v1/cases/c-1/subjects?class=health&touch=confirmed&cursor="+one.Next, "").into(t, &two)
	if len(s.asked) != 2 || *s.asked[1].Class != "health" || s.asked[1].Touch != api.TouchConfirmed || two.Subjects[0].Subject != "subject-2" || two.Next != "" {
		t.Errorf("%+v %+v %+v", s.asked, one, two)
	}
	if got := ask(t, h, "GET", "/api/v1/cases/c-2/subjects?class=health&touch=confirmed&cursor="+one.Next, ""); got.code != 400 {
		t.Errorf("a cursor of another case: %d", got.code)
	}
}

func TestCaseTimelineIsListedWhole(t *testing.T) {
	t.Parallel()
	s := newStore(1)
	for i := range 5 {
		s.case1.Events = append(s.case1.Events, vigil.CaseEvent{N: int64(10 + i), Case: "c-1"})
	}
	h := servingWith(t, rest.Services{Reader: s})
	var got []int64
	for cursor, asked := "", 0; asked == 0 || cursor != ""; asked++ {
		var list rest.CaseEventList
		ask(t, h, "GET", "/api/v1/cases/c-1/events?limit=2&cursor="+cursor, "").into(t, &list)
		for _, e := range list.Events {
			got = append(got, e.N)
		}
		cursor = list.Next
	}
	if fmt.Sprint(got) != "[10 11 12 13 14]" {
		t.Errorf("%v", got)
	}
}

// notices holds one notification, of which one part was written.
type notices struct{ api.Notices }

func (notices) Notice(context.Context, string) (api.NoticeView, error) {
	return api.NoticeView{
		Case: vigil.Case{ID: "c-1"}, Organisation: api.Organisation{Name: "Example"}, Proposed: map[vigil.NoticeField]string{vigil.NoticeNature: "proposed", vigil.NoticeHarm: "proposed"},
		Notice: vigil.Notice{Revision: 3, Written: map[vigil.NoticeField]vigil.Writing{vigil.NoticeHarm: {Text: "written"}}},
	}, nil
}

func TestNoticeIsAsItStands(t *testing.T) {
	t.Parallel()
	h := servingWith(t, rest.Services{Reader: newStore(1), Notices: notices{}})
	got := ask(t, h, "GET", "/api/v1/cases/c-1/notice", "")
	var n rest.NoticeAnswer
	got.into(t, &n)
	if got.head.Get("ETag") != `"3"` || n.Case != "c-1" || n.Texts[vigil.NoticeNature] != "proposed" || n.Texts[vigil.NoticeHarm] != "written" || n.Organisation.Name != "Example" {
		t.Errorf("%s %s", got.head.Get("ETag"), got.body)
	}
}

// colleagues are two.
type colleagues struct{ api.CaseWorker }

func (colleagues) Colleagues(context.Context) ([]api.Colleague, error) {
	return []api.Colleague{{By: "actor-2", Roles: []access.Role{access.RoleAnalyst}}}, nil
}

func TestColleaguesAreListed(t *testing.T) {
	t.Parallel()
	got := ask(t, servingWith(t, rest.Services{Reader: newStore(1), Worker: colleagues{}}), "GET", "/api/v1/colleagues", "")
	if got.body != `{"colleagues":[{"by":"actor-2","roles":["analyst"]}]}`+"\n" {
		t.Errorf("%d %s", got.code, got.body)
	}
}
