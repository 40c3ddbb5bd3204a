package browser

import (
	_ "embed"
	"encoding/json"
	"strings"
)

//go:embed testdata/axe.min.js
var axe string

// Barrier is something on a page that keeps people out, as axe-core tells it.
type Barrier struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		Target         []any
		FailureSummary string
	}
}

// Barriers runs axe-core (Deque Systems) on the page as it is and returns what it holds
// serious or critical. With rules, only those run.
func (p *Page) Barriers(rules ...string) (serious []Barrier) {
	p.t.Helper()
	options := map[string]any{"resultTypes": []string{"violations"}}
	if len(rules) > 0 {
		options["runOnly"] = rules
	}
	how, err := json.Marshal(options)
	if err != nil {
		p.t.Fatal(err)
	}
	Eval[bool](p, "(() => { if (!window.axe) { "+axe+"\n } return true })()")
	Eval[bool](p, `(() => { window.barriers = ""; axe.run(document, `+string(how)+`).then(r => { window.barriers = JSON.stringify(r.violations) }, e => { window.barriers = "failed: " + e }); return true })()`)
	p.Wait(`window.barriers !== ""`)
	text := Eval[string](p, "window.barriers")
	if strings.HasPrefix(text, "failed") {
		p.t.Fatalf("axe-core: %s", text)
	}
	var all []Barrier
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		p.t.Fatalf("axe-core: %v", err)
	}
	for _, b := range all {
		if b.Impact == "serious" || b.Impact == "critical" {
			serious = append(serious, b)
		}
	}
	return serious
}

// Drawn tells after how many milliseconds the page's first byte had come, and when the
// largest part of it, or else the first, was drawn. Zero stands for what the browser does not tell.
func (p *Page) Drawn() (firstByte, drawn float64) {
	p.t.Helper()
	p.Wait(`performance.getEntriesByType("navigation").length > 0 && document.readyState === "complete"`)
	firstByte = Eval[float64](p, `performance.getEntriesByType("navigation")[0].responseStart`)
	drawn = Eval[float64](p, `performance.getEntriesByType("paint").reduce((at, e) => Math.max(at, e.startTime), 0)`)
	return firstByte, drawn
}

// Wider tells by how many pixels the page is wider than its window.
func (p *Page) Wider() int {
	p.t.Helper()
	return Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`)
}
