package audit

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"vigil/dashboards/chart"
	"vigil/dashboards/theme"
)

//go:embed audit.gohtml
var files embed.FS

//go:embed audit.css
var ownCSS string

type page struct {
	document
	Policy string
	Style  template.HTML
}

// HTML writes the report to w as one page without scripts that loads nothing. It writes
// nothing when the report can't be made; an error of w is returned as it is.
func HTML(w io.Writer, r *Report) error {
	set, err := template.New("audit").Funcs(template.FuncMap{
		"spark": chart.Spark,
		"right": column.right,
	}).ParseFS(files, "audit.gohtml")
	if err != nil {
		return fmt.Errorf("read template of the audit report: %w", err)
	}
	css := theme.CSS() + ownCSS
	sum := sha256.Sum256([]byte(css))
	p := page{
		document: newDocument(r),
		// The report's own style sheet and nothing else, whatever a name in a log holds.
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.HTML("<style>" + css + "</style>"), //nolint:gosec // our own file
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "audit", p); err != nil {
		return fmt.Errorf("write audit report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
