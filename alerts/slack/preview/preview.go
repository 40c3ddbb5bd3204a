// Package preview draws Block Kit blocks as a web page, near enough to Slack's
// own look that a card can be judged by eye, in light and dark. People who change
// cards call it, by a test that writes the pages; the program itself does not.
//
// It is a pure function of its input, bounded by it, and safe for concurrent use.
// Everything is escaped and the page has no scripts and loads nothing.
package preview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
)

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type element struct {
	Type  string `json:"type"`
	Text  any    `json:"text"`
	URL   string `json:"url"`
	Style string `json:"style"`
}

type block struct {
	Type     string    `json:"type"`
	Text     *text     `json:"text"`
	Fields   []text    `json:"fields"`
	Elements []element `json:"elements"`
}

const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Card</title><style>
:root{--bg:#fff;--fg:#1d1c1d;--dim:#616061;--line:#ddd;--code:#e01e5a;--codebg:#f7f7f7;--primary:#007a5a}
@media (prefers-color-scheme:dark){:root{--bg:#1a1d21;--fg:#d1d2d3;--dim:#9a9b9d;--line:#45484d;--code:#e8912d;--codebg:#222529;--primary:#148567}}
body{margin:0;padding:18px 20px;background:var(--bg);color:var(--fg);font:15px/1.466 Lato,"Noto Sans","DejaVu Sans",sans-serif,"Noto Color Emoji"}
.msg{display:grid;grid-template-columns:36px 1fr;gap:8px;max-width:720px}
.icon{width:36px;height:36px;border-radius:4px;background:#5b3df5;color:#fff;display:grid;place-items:center;font-weight:900}
.app{font-weight:900}.tag{font-size:10px;background:var(--line);border-radius:2px;padding:1px 3px;margin:0 6px;vertical-align:1px}.at{color:var(--dim);font-size:12px}
.header{font-size:18px;font-weight:900;margin:8px 0 4px}.section{margin:6px 0 8px}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px;margin:8px 0}
.context{color:var(--dim);font-size:13px;margin:6px 0}.actions{margin:10px 0}
.button{display:inline-block;border:1px solid var(--dim);border-radius:4px;padding:4px 12px;font-weight:700;color:var(--fg);text-decoration:none;font-size:14px}
.button.primary{background:var(--primary);border-color:var(--primary);color:#fff}
code{font:12px/1.5 "DejaVu Sans Mono",monospace;color:var(--code);background:var(--codebg);border:1px solid var(--line);border-radius:3px;padding:1px 3px}
hr{border:0;border-top:1px solid var(--line)}.dot{display:inline-block;width:.8em;height:.8em;border-radius:50%;border:1px solid #0003}
.text{white-space:pre-wrap;overflow-wrap:anywhere}
</style></head><body><div class="msg"><div class="icon">v</div><div><div><span class="app">vigil</span><span class="tag">APP</span><span class="at">11:06</span></div>
`

// HTML draws blocks, given as the JSON array that chat.postMessage takes. What is
// no such array becomes a page that says so.
func HTML(blocks []byte) []byte {
	var out bytes.Buffer
	out.WriteString(head)
	var bs []block
	if err := json.Unmarshal(blocks, &bs); err != nil {
		fmt.Fprintf(&out, `<div class="section text">These are no blocks: %s</div>`, html.EscapeString(err.Error()))
	}
	for _, b := range bs {
		draw(&out, b)
	}
	out.WriteString("</div></div></body></html>\n")
	return out.Bytes()
}

func draw(out *bytes.Buffer, b block) {
	switch b.Type {
	case "header":
		if b.Text != nil {
			fmt.Fprintf(out, "<div class=\"header text\">%s</div>\n", render(*b.Text))
		}
	case "section":
		if b.Text != nil {
			fmt.Fprintf(out, "<div class=\"section text\">%s</div>\n", render(*b.Text))
		}
		if len(b.Fields) > 0 {
			out.WriteString("<div class=\"fields\">\n")
			for _, f := range b.Fields {
				fmt.Fprintf(out, "<div class=\"text\">%s</div>\n", render(f))
			}
			out.WriteString("</div>\n")
		}
	case "context":
		for _, e := range b.Elements {
			if s, ok := e.Text.(string); ok {
				fmt.Fprintf(out, "<div class=\"context text\">%s</div>\n", render(text{Type: e.Type, Text: s}))
			}
		}
	case "actions":
		out.WriteString("<div class=\"actions\">")
		for _, e := range b.Elements {
			label := ""
			if m, ok := e.Text.(map[string]any); ok {
				label, _ = m["text"].(string)
			}
			class := "button"
			if e.Style == "primary" {
				class += " primary"
			}
			fmt.Fprintf(out, "<span class=%q title=%q>%s</span>", class, html.EscapeString(e.URL), render(text{Type: "plain_text", Text: label}))
		}
		out.WriteString("</div>\n")
	case "divider":
		out.WriteString("<hr>\n")
	default:
		fmt.Fprintf(out, "<div class=\"context\">(%s block)</div>\n", html.EscapeString(b.Type))
	}
}

var (
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	bold     = regexp.MustCompile(`(^|[^\pL\pN*])\*([^*\n]+)\*`)
	italic   = regexp.MustCompile(`(^|[^\pL\pN_])_([^_\n]+)_`)
	// Few machines that run tests have a font with coloured dots.
	dots = strings.NewReplacer("🔴", dot("#dd2e44"), "🟠", dot("#f4900c"), "🟡", dot("#fdcb58"), "🔵", dot("#55acee"), "🟢", dot("#78b159"), "⚪", dot("#e6e7e8"))

	fromWire = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// render shows a text object: entities are undone, then escaped for HTML, and
// the marks of mrkdwn are drawn, none of them within a code span.
func render(t text) string {
	s := dots.Replace(html.EscapeString(fromWire.Replace(t.Text)))
	if t.Type != "mrkdwn" {
		return s
	}
	var b strings.Builder
	last := 0
	for _, m := range codeSpan.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(marks(s[last:m[0]]))
		b.WriteString("<code>" + s[m[2]:m[3]] + "</code>")
		last = m[1]
	}
	b.WriteString(marks(s[last:]))
	return b.String()
}

func dot(colour string) string { return `<span class="dot" style="background:` + colour + `"></span>` }

func marks(s string) string {
	s = bold.ReplaceAllString(s, "$1<b>$2</b>")
	return italic.ReplaceAllString(s, "$1<i>$2</i>")
}
