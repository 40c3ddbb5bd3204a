package grafana_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"vigil/dashboards/grafana"
)

var update = flag.Bool("update", false, "write the files of the folder json anew")

// made are the files by default, by path.
func made(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := grafana.Files(grafana.Options{Dashboards: "/var/lib/grafana/dashboards/vigil"})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		out[f.Path] = f.Text
	}
	return out
}

// The files that lie in the folder are those that the program makes.
func TestFilesAreCurrent(t *testing.T) {
	t.Parallel()
	for path, text := range made(t) {
		kept := filepath.Join("json", filepath.FromSlash(path))
		if *update {
			if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(kept, text, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(kept); err != nil || string(have) != string(text) {
			t.Errorf("%s is not what the program makes (%v): run go test ./dashboards/grafana -run FilesAreCurrent -update", kept, err)
		}
	}
	var kept int
	err := filepath.WalkDir("json", func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			kept++
		}
		return err
	})
	if err != nil || kept != len(made(t)) {
		t.Errorf("%d files in the folder json, %d are made (%v)", kept, len(made(t)), err)
	}
}

// The dashboards are what Grafana's own model of one allows: no field that it does not
// know, none missing.
//
//nolint:staticcheck // the classic model is what files that Grafana provisions are written in
func TestGrafanaKnowsTheModel(t *testing.T) {
	t.Parallel()
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	seen := 0
	for path, text := range made(t) {
		if !strings.HasPrefix(path, "dashboards/") {
			continue
		}
		seen++
		var d dashboard.Dashboard
		if err := faults(d.UnmarshalJSONStrict(text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		d = dashboard.Dashboard{}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if newest := dashboard.NewDashboard().SchemaVersion; d.SchemaVersion != newest {
			t.Errorf("%s has schema version %d, Grafana's is %d", path, d.SchemaVersion, newest)
		}
		// How fields are shown is read strictly only when it is asked for alone.
		var parts struct {
			Panels []struct {
				Title       string
				FieldConfig json.RawMessage
			}
		}
		if err := json.Unmarshal(text, &parts); err != nil {
			t.Fatal(err)
		}
		for _, p := range parts.Panels {
			var f dashboard.FieldConfigSource
			if err := faults(f.UnmarshalJSONStrict(p.FieldConfig)); err != nil {
				t.Errorf("%s: %q: %v", path, p.Title, err)
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d dashboards", seen)
	}
	// The model refuses what it does not know, or the test above would show nothing.
	var d dashboard.Dashboard
	spoilt := strings.Replace(string(made(t)["dashboards/vigil-access.json"]), `"graphMode"`, `"grafMode"`, 1)
	if err := faults(d.UnmarshalJSONStrict([]byte(spoilt))); err == nil {
		t.Error("a panel with a field that Grafana does not know is taken")
	}
}

// faults is nil where a list of errors is empty: Grafana's library returns such ones.
func faults(err error) error {
	var all cog.BuildErrors
	if errors.As(err, &all) && len(all) == 0 {
		return nil
	}
	return err
}

// Each panel says which question it answers, has a place of its own, and asks something.
func TestPanels(t *testing.T) {
	t.Parallel()
	for path, text := range made(t) {
		if !strings.HasPrefix(path, "dashboards/") {
			continue
		}
		d := decode(t, text)
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range d.Panels {
			if !strings.Contains(p.Description, "?") || p.Title == "" || len(p.Targets) == 0 || ids[p.ID] {
				t.Errorf("%s: panel %d %q: question %q, %d queries", path, p.ID, p.Title, p.Description, len(p.Targets))
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %q lies over %q or beside the grid", path, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

func TestProvisioning(t *testing.T) {
	t.Parallel()
	files, err := grafana.Files(grafana.Options{URL: "https://influx.example:8086", Bucket: "b: #1", Org: `o"$HOME`, Dashboards: "/srv/$x"})
	if err != nil {
		t.Fatal(err)
	}
	var source struct {
		Datasources []struct {
			UID      string `yaml:"uid"`
			Type     string `yaml:"type"`
			URL      string `yaml:"url"`
			JSONData struct {
				Version       string `yaml:"version"`
				Organization  string `yaml:"organization"`
				DefaultBucket string `yaml:"defaultBucket"`
			} `yaml:"jsonData"`
			Secure map[string]string `yaml:"secureJsonData"`
		} `yaml:"datasources"`
	}
	var boards struct {
		Providers []struct {
			Type    string `yaml:"type"`
			Options struct {
				Path string `yaml:"path"`
			} `yaml:"options"`
		} `yaml:"providers"`
	}
	for _, f := range files {
		var err error
		switch f.Path {
		case "provisioning/datasources/vigil.yaml":
			err = yaml.Unmarshal(f.Text, &source)
		case "provisioning/dashboards/vigil.yaml":
			err = yaml.Unmarshal(f.Text, &boards)
		}
		if err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	if len(source.Datasources) != 1 || len(boards.Providers) != 1 {
		t.Fatalf("%+v %+v", source, boards)
	}
	s := source.Datasources[0]
	// Grafana makes one dollar sign of two.
	if s.UID != "vigil" || s.Type != "influxdb" || s.URL != "https://influx.example:8086" || s.JSONData.Version != "Flux" ||
		s.JSONData.DefaultBucket != "b: #1" || s.JSONData.Organization != `o"$$HOME` || s.Secure["token"] != "$"+grafana.TokenVariable {
		t.Errorf("%+v", s)
	}
	if p := boards.Providers[0]; p.Type != "file" || p.Options.Path != "/srv/$$x" {
		t.Errorf("%+v", p)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts grafana.Options
		want string
	}{
		"no address":       {grafana.Options{URL: "influx:8086", Dashboards: "/d"}, "no address such as"},
		"a password":       {grafana.Options{URL: "http://u:canary@h", Dashboards: "/d"}, grafana.TokenVariable},
		"a quote":          {grafana.Options{Bucket: `a"b`, Dashboards: "/d"}, "no query can hold"},
		"no folder at all": {grafana.Options{}, "as Grafana sees it"},
	} {
		_, err := grafana.Files(c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// board is what the tests look at of a dashboard.
type board struct {
	Panels []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ H, W, X, Y int }
		Targets                  []struct{ Query string }
	}
	Templating struct {
		List []struct{ Type, Name, Query string }
	}
}

func decode(t *testing.T, text []byte) board {
	t.Helper()
	var d board
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}
