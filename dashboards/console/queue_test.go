package console_test

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
	"vigil/internal/access"
	"vigil/internal/api"
)

var newsLine = regexp.MustCompile(`new</span> (\d+) cases? (of this kind )?holds? something that you have not seen: <a href="([^"]+)">`)

// As many cases as the sentence counts stand in the list that its link leads to, and each of
// them is in the list below the sentence.
func TestNewsAreWhatIsListed(t *testing.T) {
	t.Parallel()
	r, _ := withCase(func(v *api.CaseView) { v.Case.State = vigil.CaseResolved })
	h := handler(t, console.Config{}, r)
	counted := map[int]bool{}
	for _, path := range []string{"/", "/?state=all", "/?min=medium", "/?state=new&owner=nobody", "/?about=actor", "/?new=1"} {
		body := get(t, h, path).body
		line := newsLine.FindStringSubmatch(body)
		if line == nil {
			t.Errorf("%s tells of no news", path)
			continue
		}
		n, _ := strconv.Atoi(line[1])
		counted[n] = true
		if narrowed := path != "/" && path != "/?new=1"; narrowed != (line[2] != "") {
			t.Errorf("%s: %s", path, line[0])
		}
		list := get(t, h, html.UnescapeString(line[3])).body
		if got := strings.Count(list, `class="go"`); got != n || strings.Count(list, `badge warn">new</span>`) != n+1 {
			t.Errorf("%s: %d are counted, %d listed", path, n, got)
		}
		for _, one := range regexp.MustCompile(`class="go" href="([^"]+)"`).FindAllStringSubmatch(list, -1) {
			if !strings.Contains(body, one[0]) {
				t.Errorf("%s does not list %s", path, one[1])
			}
		}
	}
	if len(counted) < 2 {
		t.Errorf("every list counts the same: %v", counted)
	}
}

// What the budget left below the line is counted, and led to, for those who tune; who does
// not is told the count alone.
func TestQueueTellsWhatStayedBelowTheLine(t *testing.T) {
	t.Parallel()
	r, tuner := sample.NewReader(sample.All()...), sample.NewTuner()
	services := console.Services{Reader: r, Tuner: tuner, Replayer: tuner}
	body := get(t, serving(t, console.Config{}, services), "/").body
	for _, want := range []string{"; 9 more would have come with 2 a day</summary>", "With 2 a day, 9 more findings would have come from ", `<a href="/tuning/replays/r-3">look at them</a>`,
		`action="/tuning/replays"`, `name="budgets" value="2"`, "count it anew"} {
		if !strings.Contains(body, want) {
			t.Errorf("the queue lacks %q", want)
		}
	}
	viewer := sample.Person()
	viewer.Roles = []access.Role{access.RoleViewer}
	body = get(t, servingAs(t, console.Config{}, viewer, services), "/").body
	if !strings.Contains(body, "9 more would have come with 2 a day") || strings.Contains(body, "/tuning") {
		t.Error("a viewer is not told the count alone")
	}
}
