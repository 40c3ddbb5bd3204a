package ocsf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/ocsf"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	reader "vigil/collectors/formats/ocsf"
)

// TestGolden shows whole events, one of a case that was judged and one of a rule.
func TestGolden(t *testing.T) {
	t.Parallel()
	samples := alertstest.Samples()
	for _, name := range []string{"case-resolved", "walk", "customer"} {
		_, v := event(t, encoder(t, 0), samples[name])
		// The title is the card's, whose own tests look at it.
		info := v["finding_info"].(map[string]any)
		if title := alerts.CardOf(samples[name], "").Title; info["title"] == "" || name != "customer" && info["title"] != title {
			t.Errorf("%s: title %q, the card's %q", name, info["title"], title)
		}
		delete(info, "title")
		got, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		path := "testdata/" + name + ".json"
		// formatstest has the flag.
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytes.TrimSpace(want), got) {
			t.Errorf("%s differs from %s (-update writes it):\n%s", name, path, got)
		}
	}
}

// TestStanding goes through a case's story.
func TestStanding(t *testing.T) {
	t.Parallel()
	samples := alertstest.Samples()
	enc := encoder(t, 0)
	judged := func(state vigil.CaseState, w vigil.Word, held vigil.MuteReason) alerts.Message {
		m := samples["case-new"]
		c := *m.Case
		c.State, c.Word, c.Held = state, w, held
		m.Case = &c
		return m
	}
	later := func(m alerts.Message) alerts.Message { m.Receipt = "m-1"; return m }
	verdict := func(w vigil.Word) alerts.Message {
		f := alertstest.Export()
		f.Verdict = &vigil.Verdict{Word: w}
		return alertstest.Message(f)
	}
	for _, tc := range []struct {
		name             string
		m                alerts.Message
		activity, status string
		alert            bool
		verdict, breach  any
	}{
		{"new", judged(vigil.CaseNew, "", ""), "Create", "New", true, nil, nil},
		{"grown", later(judged(vigil.CaseNew, "", "")), "Update", "New", true, nil, nil},
		{"held", judged(vigil.CaseNew, "", vigil.HeldSilence), "Create", "New", false, nil, nil},
		{"acknowledged", later(judged(vigil.CaseAcknowledged, "", "")), "Update", "In Progress", false, nil, nil},
		{"expected", later(judged(vigil.CaseResolved, vigil.WordExpected, "")), "Close", "Suppressed", false, "Benign", false},
		{"breach", later(judged(vigil.CaseResolved, vigil.WordBreach, "")), "Close", "Resolved", false, "True Positive", true},
		{"misuse", later(judged(vigil.CaseResolved, vigil.WordMisuse, "")), "Close", "Resolved", false, "True Positive", false},
		{"not known", later(judged(vigil.CaseResolved, vigil.WordUnknown, "")), "Close", "Resolved", false, "Insufficient Data", nil},
		{"reopened", later(judged(vigil.CaseNew, vigil.WordExpected, "")), "Update", "New", true, "Benign", false},
		{"first told when resolved", judged(vigil.CaseResolved, vigil.WordBreach, ""), "Close", "Resolved", false, "True Positive", true},
		{"finding", alertstest.Message(alertstest.Export()), "Create", "New", true, nil, nil},
		{"finding that ended is not reviewed", later(alertstest.Message(alertstest.Rule())), "Update", "New", true, nil, nil},
		{"finding with a verdict", verdict(vigil.WordExpected), "Close", "Suppressed", false, "Benign", false},
		{"reply", samples["reply"], "Update", "New", false, nil, nil},
		{"notice", samples["notice-flood"], "Create", "New", true, nil, nil},
	} {
		ev, v := event(t, enc, tc.m)
		if v["activity_name"] != tc.activity || v["status"] != tc.status || v["is_alert"] != tc.alert || v["verdict"] != tc.verdict || v["is_suspected_breach"] != tc.breach {
			t.Errorf("%s: activity %v, status %v, alert %v, verdict %v, breach %v", tc.name, v["activity_name"], v["status"], v["is_alert"], v["verdict"], v["is_suspected_breach"])
		}
		if tc.m.Case != nil {
			meta := v["metadata"].(map[string]any)
			if ev.Key != tc.m.Case.ID || meta["correlation_uid"] != tc.m.Case.ID {
				t.Errorf("%s: key %q, correlation %v", tc.name, ev.Key, meta["correlation_uid"])
			}
		}
	}
}

// TestUID: the same revision has the same uid, and each revision has its own.
func TestUID(t *testing.T) {
	t.Parallel()
	enc := encoder(t, 0)
	seen := map[string]string{}
	for name, m := range alertstest.Story() {
		a, err := enc.Event(m)
		// Sent again after it was in doubt, and with a receipt that came late.
		m.InDoubt, m.Receipt = true, "late"
		b, _ := enc.Event(m)
		if err != nil || a.UID == "" || a.UID != b.UID {
			t.Errorf("%s: %q and %q, %v", name, a.UID, b.UID, err)
		}
		if other, ok := seen[a.UID]; ok {
			t.Errorf("%s and %s are both %q", name, other, a.UID)
		}
		seen[a.UID] = name
	}
	// Without an id of its own it is the case's and its revision's; long ones stay two.
	long := strings.Repeat("x", 300)
	f := alertstest.Export()
	a, _ := enc.Event(alerts.Message{Kind: alerts.KindFinding, Finding: f})
	b, _ := enc.Event(alerts.Message{Kind: alerts.KindFinding, ID: long + "1", Finding: f})
	c, _ := enc.Event(alerts.Message{Kind: alerts.KindFinding, ID: long + "2", Finding: f})
	if a.UID != f.ID+"-1" || b.UID == c.UID || len(b.UID) > 128 {
		t.Errorf("%q, %q, %q", a.UID, b.UID, c.UID)
	}
}

func TestNotTold(t *testing.T) {
	t.Parallel()
	samples := alertstest.Samples()
	for _, m := range []alerts.Message{
		samples["week"], samples["notice"], {}, {Kind: alerts.KindCase}, {Kind: alerts.KindReply}, {Kind: alerts.KindNotice},
		{Kind: alerts.KindReply, Reply: &alerts.Reply{}}, {Kind: alerts.KindDigest, Finding: alertstest.Export()},
	} {
		if _, err := encoder(t, 0).Event(m); !errors.Is(err, ocsf.ErrNoEvent) {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

// TestNoCustomers: customers are named nowhere, wherever their ids stand.
func TestNoCustomers(t *testing.T) {
	t.Parallel()
	const listed, about, unlisted = "customer-canary-1", "subject-5r8q1m0zk2v7c", "subject-0000000000abc"
	f := alertstest.Customer()
	text := "read " + listed + ", " + about + " and " + unlisted
	f.Subject, f.SubjectIDs = about, []string{listed, about}
	f.Sentence, f.Counterfactual, f.Contributions[0].Text, f.Contributions[0].SeenLabel = text, text, text, text
	f.Resources = []string{"contacts/" + listed}
	c := vigil.Case{ID: "case-1", Lead: f.ID, Subject: about, Severity: f.Severity}
	m := alerts.Message{ID: "m-1", Kind: alerts.KindCase, Finding: f, Case: &c, Link: "/customers/" + about}
	for _, m := range []alerts.Message{m, {ID: "m-2", Kind: alerts.KindReply, Case: &c, Reply: &alerts.Reply{Text: text}}} {
		c.ID = "case-1"
		ev, _ := event(t, encoder(t, 0), m)
		for _, id := range []string{about, unlisted} {
			if bytes.Contains(ev.JSON, []byte(id)) {
				t.Errorf("%s names %s:\n%s", m.Kind, id, ev.JSON)
			}
		}
		if m.Finding != nil && bytes.Contains(ev.JSON, []byte(listed)) {
			t.Errorf("it names %s:\n%s", listed, ev.JSON)
		}
	}
}

// huge is a case that holds as much as one can.
func huge(s string) alerts.Message {
	f := alertstest.Evil(s)
	for range 60 {
		f.Contributions = append(f.Contributions, f.Contributions...)
		if len(f.Contributions) > 100 {
			break
		}
	}
	f.Stores, f.Resources, f.Networks, f.Actors = nil, nil, nil, nil
	for i := range 110 {
		n := fmt.Sprintf("%s-%d", s, i)
		f.Stores, f.Resources, f.Networks, f.Actors, f.Sources = append(f.Stores, n), append(f.Resources, n), append(f.Networks, n), append(f.Actors, n), append(f.Sources, n)
	}
	c := vigil.Case{ID: s, Lead: s, State: vigil.CaseAcknowledged, Owner: s, Tenant: s, Acknowledged: &vigil.Mark{By: s, Time: time.Unix(1e9, 0)}, Word: vigil.Word(s), Held: vigil.MuteReason(s), Total: 1000}
	for i := range 1000 {
		c.Findings = append(c.Findings, fmt.Sprintf("f-%d", i))
	}
	return alerts.Message{ID: s, Kind: alerts.KindCase, Finding: f, Case: &c, Link: "/" + strings.Repeat("x", 1900)}
}

// TestBounds: whatever comes fits, is whole JSON by the schema, and says what was cut.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"x", strings.Repeat("\u202e", 300), strings.Repeat(`\"`, 900), strings.Repeat("\U0001F480", 900)} {
		for _, most := range []int{ocsf.LeastMaxBytes, ocsf.DefaultMaxBytes} {
			ev, v := event(t, encoder(t, most), huge(s))
			if len(ev.JSON) > most || bytes.ContainsAny(ev.JSON, "\n\r") {
				t.Errorf("%.20q: %d bytes of %d", s, len(ev.JSON), most)
			}
			meta := v["metadata"].(map[string]any)
			cut := v["unmapped"].(map[string]any)["vigil"].(map[string]any)["cut"].([]any)
			size, _ := meta["untruncated_size"].(float64)
			if meta["is_truncated"] != true || size*1024 <= float64(most) || !slices.ContainsFunc(cut, func(c any) bool {
				return strings.HasPrefix(c.(string), "related events: ") && strings.HasSuffix(c.(string), " of 1000")
			}) {
				t.Errorf("%.20q: truncated %v, %v KB, cut %v", s, meta["is_truncated"], meta["untruncated_size"], cut)
			}
		}
	}
	_, v := event(t, encoder(t, 0), alertstest.Samples()["vendor"])
	if _, ok := v["metadata"].(map[string]any)["is_truncated"]; ok {
		t.Error("a whole event says that it is cut")
	}
	for _, most := range []int{-1, 1, ocsf.LeastMaxBytes - 1, ocsf.MostMaxBytes + 1} {
		if _, err := ocsf.New(ocsf.Options{MaxBytes: most}); err == nil {
			t.Errorf("%d bytes are taken", most)
		}
	}
}

// TestOddNumbers: numbers that JSON has not are left out, unknown counts too.
func TestOddNumbers(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300} {
		f := alertstest.Export()
		f.Harm, f.Evidence, f.Threshold = x, x, x
		c := &f.Contributions[0]
		c.Seen, c.Expected, c.Low, c.High, c.P, c.E, c.Share = x, x, x, x, x, x, x
		f.Triage = &vigil.Triage{Known: true, P: x}
		event(t, encoder(t, 0), alertstest.Message(f))
	}
	_, v := event(t, encoder(t, 0), alertstest.Samples()["export"])
	told := v["unmapped"].(map[string]any)["vigil"].(map[string]any)["finding"].(map[string]any)
	if _, ok := told["customers"]; ok || told["conversations"] != 388.0 {
		t.Errorf("customers %v, conversations %v", told["customers"], told["conversations"])
	}
}

// TestReadBack: what vigil itself reads as OCSF are accesses, and findings are none. So a
// SIEM that hands everything on to vigil starts no circle.
func TestReadBack(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	samples := alertstest.Samples()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		if ev, err := encoder(t, 0).Event(samples[name]); err == nil {
			lines.Write(append(ev.JSON, '\n'))
		}
	}
	events, errs := formatstest.Decode(t, reader.Format(), formats.Options{Source: "s"}, lines.String())
	if len(events) != 0 || len(errs) != 0 {
		t.Errorf("%d events, errors %v", len(events), errs)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("x", "m-1", int64(5), 2.5)
	for _, s := range alertstest.Injections()[12:] {
		f.Add(s, s, int64(-1), math.NaN())
	}
	f.Fuzz(func(t *testing.T, s, id string, n int64, x float64) {
		m := huge(s)
		m.ID, m.Case.ID = id, id
		fi := m.Finding
		fi.Harm, fi.Evidence, fi.Subjects, fi.Revision, fi.Triage = x, x, n, int(int32(n)), &vigil.Triage{Known: true, P: x}
		fi.Verdict = &vigil.Verdict{Word: vigil.Word(s)}
		ev, v := event(t, encoder(t, ocsf.LeastMaxBytes), m)
		if len(ev.JSON) > ocsf.LeastMaxBytes {
			t.Errorf("%d bytes", len(ev.JSON))
		}
		if v["metadata"] == nil {
			t.Error("no metadata")
		}
	})
}
