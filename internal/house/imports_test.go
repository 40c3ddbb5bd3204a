package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the name before every path of ours.
const module = "vigil"

// root is the rule that allows the vocabulary.
const root = "."

// rule says what the packages of a folder may import of ours. A folder that ends
// in "/..." stands for all below it; the longest rule that fits a package is the
// one that holds. Packages of one rule's own folder may import each other only
// where the rule says so.
type rule struct {
	folder string
	may    []string
	// pure forbids what reads a clock, a disk or a network.
	pure bool
}

var rules = []rule{
	{folder: root, pure: true},

	{folder: "collectors", may: []string{root}},
	{folder: "collectors/...", may: []string{root, "collectors", "collectors/decode", "collectors/formats"}},
	{folder: "collectors/text", may: []string{root, "collectors/formats"}},
	{folder: "collectors/file", may: []string{root, "collectors", "collectors/formats", "collectors/formats/catalog", "collectors/text"}},
	{folder: "collectors/decode", may: []string{root, "collectors", "collectors/formats", "collectors/text"}},
	{folder: "collectors/push", may: []string{root, "collectors", "collectors/decode", "collectors/formats", "collectors/text"}},
	{folder: "collectors/objects", may: []string{root, "collectors", "collectors/decode", "collectors/formats", "collectors/text"}},
	{folder: "collectors/rest/...", may: []string{root, "collectors", "collectors/decode", "collectors/formats", "collectors/rest"}},
	{folder: "collectors/formats", may: []string{root}},
	{folder: "collectors/formats/...", may: []string{root, "collectors/formats", "collectors/formats/record", "collectors/formats/statement", "collectors/formats/aws", "collectors/formats/pgtime", "collectors/formats/genai", "collectors/formats/web"}},
	{folder: "collectors/formats/formatstest", may: []string{root, "collectors/formats", "collectors/formats/native"}},
	{folder: "collectors/formats/mapped", may: []string{root, "collectors/formats", "collectors/formats/record", "collectors/formats/web", "internal/yaml"}},
	// The one place that knows every format.
	{folder: "collectors/formats/catalog", may: []string{root, "collectors/formats/..."}},

	// Rules are files: they are read by the same strict reader as the configuration.
	{folder: "detector/rules", may: []string{root, "detector/features", "detector/reasons", "detector/rules/builtin", "internal/yaml"}, pure: true},
	{folder: "detector/rules/builtin", may: nil},
	{folder: "detector/...", may: []string{root, "detector/...", "models/..."}, pure: true},
	{folder: "models/...", may: []string{root, "models/..."}, pure: true},

	{folder: "alerts", may: []string{root}},
	{folder: "alerts/...", may: []string{root, "alerts", "alerts/internal/..."}},
	{folder: "alerts/internal/...", may: []string{root, "alerts"}},
	{folder: "alerts/ocsf/...", may: []string{root, "alerts", "alerts/internal/...", "alerts/ocsf"}},
	{folder: "alerts/picture", may: []string{root, "alerts"}, pure: true},
	{folder: "alerts/slack/...", may: []string{root, "alerts", "alerts/picture", "alerts/slack/..."}},

	{folder: "dashboards/...", may: []string{root, "dashboards/...", "internal/access", "internal/api", "internal/trouble"}},
	{folder: "dashboards/internal/sample", may: []string{root, "dashboards/...", "internal/access", "internal/api", "internal/reveal"}},

	{folder: "client", may: []string{root, "internal/access", "internal/api"}},

	{folder: "internal/app/...", may: []string{root, "..."}},
	{folder: "internal/api", may: []string{root, "internal/access"}},
	{folder: "internal/api/...", may: []string{root, "internal/access", "internal/api", "internal/gate", "internal/trouble"}},
	{folder: "internal/identity", may: []string{root, "internal/access", "internal/api", "internal/identity/record"}},
	{folder: "internal/identity/record", may: nil, pure: true},
	{folder: "internal/identity/openidtest", may: nil},
	{folder: "internal/trouble", may: nil},
	{folder: "internal/gate", may: []string{root, "internal/access", "internal/api"}},
	{folder: "internal/news", may: []string{root, "internal/api"}},
	{folder: "internal/activity", may: nil, pure: true},
	{folder: "internal/series", may: []string{root}},
	{folder: "internal/series/...", may: []string{root, "internal/series"}},
	{folder: "internal/evidence/...", may: []string{root, "internal/evidence/..."}},
	{folder: "internal/ledger/...", may: []string{root, "collectors", "internal/activity", "internal/api", "internal/evidence/...", "internal/identity/record", "internal/ledger/...", "internal/series"}},
	{folder: "internal/spool", may: []string{root, "collectors", "collectors/relay"}},
	{folder: "internal/schedule", may: nil},
	{folder: "internal/access", may: nil, pure: true},
	{folder: "internal/config", may: []string{root, "alerts", "collectors/formats", "collectors/formats/presets", "internal/access", "internal/yaml"}},
	{folder: "internal/yaml", may: nil, pure: true},
	{folder: "internal/privacy", may: []string{root}},
	{folder: "internal/feeds", may: []string{root, "internal/privacy"}},
	{folder: "internal/anchor", may: nil},
	{folder: "internal/pack", may: []string{root, "collectors/formats/native"}},
	{folder: "internal/vault", may: nil},
	{folder: "internal/subjects", may: []string{root, "internal/api"}, pure: true},
	{folder: "internal/reveal", may: []string{root, "internal/access", "internal/api"}},
	{folder: "internal/honey", may: []string{root}},
	{folder: "internal/demo", may: []string{root, "collectors/formats"}},
	{folder: "internal/demo/...", may: []string{root, "internal/demo/..."}},
	{folder: "internal/traffic", may: []string{root, "collectors/formats"}},
	{folder: "internal/points", may: nil},
	{folder: "internal/evaluate", may: []string{root, "internal/metrics/..."}},
	{folder: "internal/metrics/...", may: nil},
	{folder: "internal/backtest", may: []string{root, "detector", "detector/rules", "internal/api"}, pure: true},
	{folder: "internal/drill", may: []string{root, "detector", "internal/privacy", "internal/traffic"}},
	{folder: "internal/drill/page", may: []string{root, "dashboards/...", "internal/drill"}},
	{folder: "internal/house", may: nil},

	{folder: "cmd/...", may: []string{root, "..."}},
	{folder: "tools/...", may: []string{root, "..."}},
}

// homes says where a foreign library lives. A library that is not here has no
// place in the program. Tests are free.
var homes = map[string][]string{
	// One folder each: what speaks to a world outside.
	"github.com/influxdata/influxdb-client-go/v2": {"internal/series/influx"},
	"github.com/slack-go/slack":                   {"alerts/slack/..."},
	"github.com/gorilla/websocket":                {"alerts/slack/talk/talktest"},
	"github.com/wneessen/go-mail":                 {"alerts/email"},
	"github.com/robfig/cron/v3":                   {"internal/schedule"},
	"modernc.org/sqlite":                          {"internal/ledger/...", "internal/spool", "internal/vault"},
	"github.com/parquet-go/parquet-go":            {"internal/evidence/..."},
	"gocloud.dev":                                 {"internal/evidence/...", "collectors/objects"},
	"cloud.google.com/go/storage":                 {"collectors/objects"},
	"google.golang.org/api":                       {"collectors/objects"},
	"github.com/Azure/azure-sdk-for-go/sdk":       {"collectors/objects"},
	"github.com/aws":                              {"collectors/objects"},
	"github.com/wasilibs/go-pgquery":              {"collectors/formats/statement"},
	"github.com/sjwhitworth/golearn":              {"models/triage"},
	"github.com/twmb/franz-go":                    {"collectors/kafka", "alerts/ocsf/kafka"},
	"github.com/nats-io/nats.go":                  {"collectors/nats"},
	"github.com/nats-io/nkeys":                    {"collectors/nats"},
	"github.com/pierrec/lz4/v4":                   {"collectors/kafka"},
	"github.com/redis/go-redis":                   {"collectors/redis"},
	"google.golang.org/grpc":                      {"collectors/otlp"},
	"google.golang.org/protobuf":                  {"collectors/otlp"},
	"google.golang.org/genproto/googleapis/rpc":   {"collectors/otlp"},
	"go.opentelemetry.io/proto/otlp":              {"collectors/otlp"},
	"go.opentelemetry.io/collector/pdata":         {"collectors/otlp"},
	"github.com/go-sql-driver/mysql":              {"collectors/sql"},
	"github.com/jackc/pgx/v5":                     {"internal/demo/record", "collectors/sql"},
	"github.com/chromedp/chromedp":                {"dashboards/internal/browser", "alerts/slack/looks"},
	"github.com/chromedp/cdproto":                 {"dashboards/internal/browser", "alerts/slack/looks"},
	"github.com/goccy/go-yaml":                    {"internal/yaml", "internal/feeds"},
	"codeberg.org/go-pdf/fpdf":                    {"dashboards/document"},
	"github.com/alexedwards/scs/v2":               {"internal/identity"},
	"github.com/coreos/go-oidc/v3":                {"internal/identity"},
	"golang.org/x/oauth2":                         {"internal/identity"},
	"golang.org/x/crypto":                         {"internal/identity"},
	"github.com/expr-lang/expr":                   {"detector/rules"},
	"github.com/alecthomas/kong":                  {"cmd/..."},
	"github.com/schollz/progressbar/v3":           {"cmd/...", "internal/app/..."},
	"github.com/jedib0t/go-pretty/v6":             {"cmd/...", "internal/app/..."},

	// Tools of the trade, where they are needed.
	"github.com/go-json-experiment/json": {"collectors/...", "cmd/...", "internal/..."},
	"github.com/google/go-cmp":           {"collectors/formats/formatstest"},
	"github.com/klauspost/compress":      {"collectors/...", "internal/..."},
	"github.com/tidwall/gjson":           {"collectors/...", "internal/app/..."},
	"github.com/fxamacker/cbor/v2":       {"collectors/formats/...", "collectors/relay", "detector/...", "models/...", "internal/..."},
	"github.com/bmatcuk/doublestar":      {"collectors/file", "collectors/objects"},
	"github.com/axiomhq/hyperloglog":     {"detector/...", "models/...", "internal/app/...", "internal/subjects"},
	"github.com/cespare/xxhash/v2":       {"..."},
	"gonum.org/v1/gonum":                 {"detector/...", "models/...", "internal/demo/...", "internal/traffic"},
	"golang.org/x/image":                 {"alerts/picture", "dashboards/document"},
	"golang.org/x/sync":                  {"collectors/...", "internal/...", "cmd/..."},
	"golang.org/x/text":                  {"internal/privacy"},
	"golang.org/x/sys":                   {"collectors/...", "alerts/terminal", "internal/...", "cmd/..."},
}

// impure are the packages of the standard library by which a package would get
// at a disk, a network, another program or a log.
var impure = []string{"os", "os/...", "net", "net/http/...", "io/ioutil", "syscall", "database/sql/...", "log", "log/...", "crypto/rand", "embed", "plugin"}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath, Dir, Name, Doc         string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
	CgoFiles                           []string
	Standard                           bool
}

// folder is the package's path below the module, root for the module itself.
func (p pkg) folder() string { return folderOf(p.ImportPath) }

func folderOf(path string) string {
	if path == module {
		return root
	}
	return strings.TrimPrefix(path, module+"/")
}

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// fits tells whether a folder is meant by a pattern.
func fits(folder, pattern string) bool {
	base, below := strings.CutSuffix(pattern, "...")
	if !below {
		return folder == pattern
	}
	return folder == strings.TrimSuffix(base, "/") || strings.HasPrefix(folder, base)
}

func fitsAny(folder string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(folder, p) })
}

// ruleOf returns the rule that holds for a folder: the longest, an exact one first.
func ruleOf(folder string) (rule, bool) {
	best, found := rule{}, false
	for _, r := range rules {
		if r.folder == folder {
			return r, true
		}
		if fits(folder, r.folder) && len(r.folder) > len(best.folder) {
			best, found = r, true
		}
	}
	return best, found
}

// home finds the library of an import and where it may be imported.
func home(path string) ([]string, bool) {
	for _, lib := range slices.Sorted(maps.Keys(homes)) {
		if path == lib || strings.HasPrefix(path, lib+"/") {
			return homes[lib], true
		}
	}
	return nil, false
}

// standard tells the standard library's packages by their first element, which
// has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !ours(path)
}

// verdict lists what is wrong with a package that imports those paths.
func verdict(folder string, imports []string) []string {
	r, ok := ruleOf(folder)
	if !ok {
		return []string{"has no rule: say in internal/house what it may import"}
	}
	var wrong []string
	for _, path := range imports {
		switch {
		case ours(path):
			to := folderOf(path)
			if fits(to, "internal/app/...") && !fits(folder, "cmd/...") && !fits(folder, "internal/app/...") {
				wrong = append(wrong, "imports "+to+", which is for cmd alone")
			} else if fits(to, "cmd/...") || fits(to, "tools/...") || !fitsAny(to, r.may) {
				wrong = append(wrong, "imports "+to)
			}
		case standard(path):
			if r.pure && fitsAny(path, impure) {
				wrong = append(wrong, "imports "+path+", but must be without clock, disk and network")
			}
			if path == "C" {
				wrong = append(wrong, "uses cgo")
			}
		case folder == root:
			wrong = append(wrong, "imports "+path+", but the vocabulary has the standard library alone")
		default:
			where, ok := home(path)
			if !ok {
				wrong = append(wrong, "imports "+path+", which has no home in internal/house")
			} else if !fits(folder, "tools/...") && !fitsAny(folder, where) {
				wrong = append(wrong, "imports "+path+", whose home is "+strings.Join(where, ", "))
			}
		}
	}
	return wrong
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, nil, "./...") {
		for _, w := range verdict(p.folder(), p.Imports) {
			t.Errorf("%s %s", p.folder(), w)
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			to := folderOf(path)
			// The console is also tried in a browser with the whole service behind it.
			if ours(path) && fits(to, "internal/app/...") && !fits(p.folder(), "cmd/...") && !fits(p.folder(), "internal/app/...") && !fits(p.folder(), "dashboards/console") {
				t.Errorf("the tests of %s import %s, which is for cmd alone", p.folder(), to)
			}
		}
	}
}

// TestRulesBite shows that the rules refuse what they are there to refuse.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		folder, path string
		ok           bool
	}{
		{root, "time", true},
		{root, "os", false},
		{root, "gonum.org/v1/gonum/stat", false},
		{"collectors/file", "vigil/collectors/formats", true},
		{"collectors/file", "vigil/collectors/push", false},
		{"collectors/file", "vigil/detector", false},
		{"collectors/new", "vigil/internal/ledger", false},
		{"collectors/formats/nginx", "vigil/collectors/formats/statement", true},
		{"collectors/formats/nginx", "vigil/collectors/formats/postgresql", false},
		{"detector", "vigil/models/volume", true},
		{"detector", "vigil/internal/series", false},
		{"detector/features", "net/http", false},
		{"models/volume", "vigil/detector", false},
		{"models/volume", "log/slog", false},
		{"models/volume", "gonum.org/v1/gonum/mathext", true},
		{"alerts/slack", "vigil/alerts/terminal", false},
		{"alerts/slack", "github.com/slack-go/slack", true},
		{"alerts/slack/preview", "vigil/alerts/slack", true},
		{"internal/app", "github.com/slack-go/slack", false},
		{"internal/app", "vigil/internal/ledger", true},
		{"internal/app", "vigil/cmd/vigil", false},
		{"internal/ledger", "vigil/internal/app", false},
		{"dashboards/console", "vigil/internal/ledger", false},
		{"cmd/vigil", "vigil/internal/app", true},
		{"cmd/vigil", "github.com/robfig/cron/v3", false},
		{"cmd/vigil", "example.org/unheard/of", false},
		{"elsewhere", "vigil", false},
	} {
		if wrong := verdict(c.folder, []string{c.path}); (len(wrong) == 0) != c.ok {
			t.Errorf("%s importing %s: %q, want allowed %v", c.folder, c.path, wrong, c.ok)
		}
	}
}

// TestProgramNeedsNoCgo looks with cgo switched on, where a package that has a C
// part would bring it, and asks that only the standard library has one.
func TestProgramNeedsNoCgo(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(top(t), "cmd", "vigil")); err != nil {
		t.Skip("cmd/vigil is not there")
	}
	for _, p := range list(t, []string{"CGO_ENABLED=1"}, "-deps", "./cmd/vigil") {
		if len(p.CgoFiles) > 0 && !p.Standard {
			t.Errorf("%s has a C part: %s", p.ImportPath, strings.Join(p.CgoFiles, ", "))
		}
	}
	for _, p := range list(t, []string{"CGO_ENABLED=0"}, "-deps", "./cmd/vigil") {
		if len(p.GoFiles) == 0 && p.ImportPath != "unsafe" {
			t.Errorf("%s has nothing left without cgo", p.ImportPath)
		}
	}
}

// list asks go list.
func list(t *testing.T, env []string, args ...string) []pkg {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("NOT CHECKED: no go command in PATH")
	}
	cmd := exec.CommandContext(t.Context(), goTool, append([]string{"list", "-e", "-json"}, args...)...)
	cmd.Dir = top(t)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list found no package")
	}
	return pkgs
}

// top is the folder of go.mod.
func top(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}
