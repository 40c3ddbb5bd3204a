package document

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

//go:embed document.gohtml
var files embed.FS

//go:embed document.css
var ownCSS string

type page struct {
	Document
	Heading, Policy string
	Style           template.HTML
}

// HTML writes the document to w as one page without scripts that loads nothing. It writes
// nothing when the page can't be made; an error of w is returned as it is.
func HTML(w io.Writer, d Document) error {
	set, err := template.New("document").Funcs(template.FuncMap{
		"spark": chart.Spark,
		"right": Column.right,
	}).ParseFS(files, "document.gohtml")
	if err != nil {
		return fmt.Errorf("read template of documents: %w", err)
	}
	css := theme.CSS() + ownCSS
	sum := sha256.Sum256([]byte(css))
	p := page{
		Document: d, Heading: d.heading(),
		// The document's own style sheet and nothing else, whatever a name in a log holds.
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.HTML("<style>" + css + "</style>"), //nolint:gosec // our own file
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "document", p); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
