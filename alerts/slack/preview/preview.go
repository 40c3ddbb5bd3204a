// Package preview draws Block Kit blocks as a web page, near enough to Slack's
// own look that a card can be judged by eye, in light and dark. People who change
// cards call it, by a test that writes the pages; the program itself does not.
//
// It is a pure function of its input, bounded by it, and safe for concurrent use.
// Everything is escaped and the page has no scripts and loads nothing.
package preview

import (
	"bytes"
	"encoding/base64"
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

type option struct {
	Text        text  `json:"text"`
	Description *text `json:"description"`
	Value       string
}

type element struct {
	Type  string `json:"type"`
	Text  any    `json:"text"`
	URL   string `json:"url"`
	Style string `json:"style"`

	Placeholder     *text           `json:"placeholder"`
	Options         []option        `json:"options"`
	InitialOption   *option         `json:"initial_option"`
	InitialOptions  []option        `json:"initial_options"`
	InitialValue    string          `json:"initial_value"`
	InitialDate     string          `json:"initial_date"`
	InitialDateTime json.RawMessage `json:"initial_date_time"`
	InitialUser     string          `json:"initial_user"`
	Multiline       bool            `json:"multiline"`
}

type block struct {
	Type      string    `json:"type"`
	Text      *text     `json:"text"`
	Fields    []text    `json:"fields"`
	Elements  []element `json:"elements"`
	Accessory *element  `json:"accessory"`

	Label    *text    `json:"label"`
	Hint     *text    `json:"hint"`
	Optional bool     `json:"optional"`
	Element  *element `json:"element"`

	AltText   string `json:"alt_text"`
	SlackFile struct {
		ID string `json:"id"`
	} `json:"slack_file"`
}

// view is a modal.
type view struct {
	Type   string          `json:"type"`
	Title  *text           `json:"title"`
	Submit *text           `json:"submit"`
	Close  *text           `json:"close"`
	Blocks json.RawMessage `json:"blocks"`
}

const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Card</title><style>
:root{--bg:#fff;--fg:#1d1c1d;--dim:#616061;--line:#ddd;--code:#e01e5a;--codebg:#f7f7f7;--primary:#007a5a;--danger:#e01e5a;--link:#1264a3;--linkbg:#e8f5fa}
@media (prefers-color-scheme:dark){:root{--bg:#1a1d21;--fg:#d1d2d3;--dim:#9a9b9d;--line:#45484d;--code:#e8912d;--codebg:#222529;--primary:#148567;--danger:#e0205c;--link:#1d9bd1;--linkbg:#1d2f3a}}
body{margin:0;padding:14px 16px;background:var(--bg);color:var(--fg);font:15px/1.466 Lato,"Noto Sans","DejaVu Sans",sans-serif,"Noto Color Emoji";width:608px;box-sizing:border-box}
.msg{display:grid;grid-template-columns:36px minmax(0,1fr);gap:8px}
.icon{width:36px;height:36px;border-radius:4px;background:#5b3df5;color:#fff;display:grid;place-items:center;font-weight:900}
.app{font-weight:900}.tag{font-size:10px;background:var(--line);border-radius:2px;padding:1px 3px;margin:0 6px;vertical-align:1px}.at{color:var(--dim);font-size:12px}
.header{font-size:18px;font-weight:900;margin:8px 0 4px}.section{margin:6px 0 8px}.side{display:flex;gap:16px;justify-content:space-between}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px;margin:8px 0}
.context{color:var(--dim);font-size:13px;margin:6px 0}.actions{margin:10px 0;display:flex;flex-wrap:wrap;gap:8px}
.button{display:inline-block;border:1px solid var(--dim);border-radius:4px;padding:4px 12px;font-weight:700;color:var(--fg);text-decoration:none;font-size:14px;white-space:nowrap}
.button.primary{background:var(--primary);border-color:var(--primary);color:#fff}.button.danger{background:var(--danger);border-color:var(--danger);color:#fff}
.image{max-width:360px;border-radius:8px;display:block;margin:8px 0}.noimage{border:1px dashed var(--line);border-radius:8px;padding:24px;color:var(--dim);width:310px;margin:8px 0}
.modal{border:1px solid var(--line);border-radius:8px;max-width:520px}.modal .bar{padding:14px 20px;font-size:20px;font-weight:900;border-bottom:1px solid var(--line)}
.modal .body{padding:8px 20px}.modal .foot{padding:12px 20px;border-top:1px solid var(--line);display:flex;gap:8px;justify-content:flex-end}
.label{font-weight:700;margin-top:10px}.optional{color:var(--dim);font-weight:400}.hint{color:var(--dim);font-size:13px}
.input{border:1px solid var(--dim);border-radius:4px;padding:6px 10px;margin:4px 0;color:var(--fg)}.input.empty{color:var(--dim)}.input.tall{min-height:66px}.input.list::after{content:"▾";float:right;color:var(--dim)}
.choice{margin:4px 0}.choice i{display:inline-block;width:12px;height:12px;border:1px solid var(--dim);margin-right:8px;vertical-align:-1px}.choice i.round{border-radius:50%}.choice i.on{background:var(--link);border-color:var(--link);box-shadow:inset 0 0 0 2px var(--bg)}
code{font:12px/1.5 "DejaVu Sans Mono",monospace;color:var(--code);background:var(--codebg);border:1px solid var(--line);border-radius:3px;padding:1px 3px}
.mention{color:var(--link);background:var(--linkbg);border-radius:3px;padding:0 2px}
hr{border:0;border-top:1px solid var(--line)}.dot{display:inline-block;width:.8em;height:.8em;border-radius:50%;border:1px solid #0003}
.text{white-space:pre-wrap;overflow-wrap:anywhere}
</style></head><body>`

const (
	messageHead = `<div class="msg"><div class="icon">v</div><div><div><span class="app">vigil</span><span class="tag">APP</span><span class="at">11:06</span></div>` + "\n"
	messageFoot = "</div></div>"
	foot        = "</body></html>\n"
)

// Files are the pictures that a message shows, as PNG, by the IDs of their files.
type Files map[string][]byte

// HTML draws what Slack takes as JSON: the array of a message's blocks, or a modal
// view. What is neither becomes a page that says so.
func HTML(raw []byte, files Files) []byte {
	var out bytes.Buffer
	out.WriteString(head)
	var bs []block
	var v view
	err := json.Unmarshal(raw, &bs)
	switch {
	case err == nil:
		out.WriteString(messageHead)
		draw(&out, bs, files)
		out.WriteString(messageFoot)
	case json.Unmarshal(raw, &v) == nil && v.Type == "modal" && json.Unmarshal(v.Blocks, &bs) == nil:
		modal(&out, v, bs, files)
	default:
		fmt.Fprintf(&out, `<div class="section text">These are no blocks: %s</div>`, html.EscapeString(err.Error()))
	}
	out.WriteString(foot)
	return out.Bytes()
}

func modal(out *bytes.Buffer, v view, bs []block, files Files) {
	fmt.Fprintf(out, "<div class=\"modal\"><div class=\"bar text\">%s</div><div class=\"body\">\n", of(v.Title))
	draw(out, bs, files)
	out.WriteString("</div>\n")
	if v.Submit != nil || v.Close != nil {
		out.WriteString(`<div class="foot">`)
		if v.Close != nil {
			fmt.Fprintf(out, `<span class="button">%s</span>`, of(v.Close))
		}
		if v.Submit != nil {
			fmt.Fprintf(out, `<span class="button primary">%s</span>`, of(v.Submit))
		}
		out.WriteString("</div>")
	}
	out.WriteString("</div>")
}

func draw(out *bytes.Buffer, bs []block, files Files) {
	for i := range bs {
		drawBlock(out, &bs[i], files)
	}
}

func drawBlock(out *bytes.Buffer, b *block, files Files) {
	switch b.Type {
	case "header":
		fmt.Fprintf(out, "<div class=\"header text\">%s</div>\n", of(b.Text))
	case "section":
		if b.Text != nil {
			fmt.Fprintf(out, "<div class=\"section side\"><div class=\"text\">%s</div>", of(b.Text))
			if b.Accessory != nil {
				out.WriteString("<div>")
				drawElement(out, b.Accessory)
				out.WriteString("</div>")
			}
			out.WriteString("</div>\n")
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
		for i := range b.Elements {
			drawElement(out, &b.Elements[i])
		}
		out.WriteString("</div>\n")
	case "image":
		if png, ok := files[b.SlackFile.ID]; ok {
			fmt.Fprintf(out, "<img class=\"image\" alt=\"%s\" src=\"data:image/png;base64,%s\">\n", html.EscapeString(b.AltText), base64.StdEncoding.EncodeToString(png))
		} else {
			fmt.Fprintf(out, "<div class=\"noimage text\">%s</div>\n", html.EscapeString(b.AltText))
		}
	case "input":
		optional := ""
		if b.Optional {
			optional = ` <span class="optional">(optional)</span>`
		}
		fmt.Fprintf(out, "<div class=\"label text\">%s%s</div>", of(b.Label), optional)
		if b.Element != nil {
			drawElement(out, b.Element)
		}
		if b.Hint != nil {
			fmt.Fprintf(out, "<div class=\"hint text\">%s</div>", of(b.Hint))
		}
		out.WriteByte('\n')
	case "divider":
		out.WriteString("<hr>\n")
	default:
		fmt.Fprintf(out, "<div class=\"context\">(%s block)</div>\n", html.EscapeString(b.Type))
	}
}

func drawElement(out *bytes.Buffer, e *element) {
	switch e.Type {
	case "button":
		label := ""
		if m, ok := e.Text.(map[string]any); ok {
			label, _ = m["text"].(string)
		}
		class := "button"
		if e.Style == "primary" || e.Style == "danger" {
			class += " " + e.Style
		}
		fmt.Fprintf(out, "<span class=%q title=\"%s\">%s</span>", class, html.EscapeString(e.URL), render(text{Type: "plain_text", Text: label}))
	case "overflow":
		var all []string
		for _, o := range e.Options {
			all = append(all, o.Text.Text)
		}
		fmt.Fprintf(out, "<span class=\"button\" title=\"%s\">⋯</span>", html.EscapeString(strings.Join(all, "\n")))
	case "radio_buttons", "checkboxes":
		shape := ""
		on := map[string]bool{}
		if e.Type == "radio_buttons" {
			shape = "round"
		}
		if e.InitialOption != nil {
			on[e.InitialOption.Value] = true
		}
		for _, o := range e.InitialOptions {
			on[o.Value] = true
		}
		for _, o := range e.Options {
			class := shape
			if on[o.Value] {
				class += " on"
			}
			fmt.Fprintf(out, "<div class=\"choice\"><i class=%q></i><span class=\"text\">%s</span>", class, render(o.Text))
			if o.Description != nil {
				fmt.Fprintf(out, "<div class=\"hint text\">%s</div>", of(o.Description))
			}
			out.WriteString("</div>")
		}
	default: // whatever is typed into or chosen from
		class, value := "input", e.InitialValue
		switch {
		case e.InitialOption != nil:
			value = e.InitialOption.Text.Text
		case e.InitialDate != "":
			value = e.InitialDate
		case len(e.InitialDateTime) > 0:
			value = string(e.InitialDateTime)
		case e.InitialUser != "":
			value = "@" + e.InitialUser
		}
		if strings.HasSuffix(e.Type, "_select") || strings.Contains(e.Type, "picker") {
			class += " list"
		}
		if e.Multiline {
			class += " tall"
		}
		shown := render(text{Text: value})
		if value == "" {
			class += " empty"
			if shown = of(e.Placeholder); shown == "" {
				shown = "&nbsp;"
			}
		}
		fmt.Fprintf(out, "<div class=%q><span class=\"text\">%s</span></div>", class, shown)
	}
}

var (
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	bold     = regexp.MustCompile(`(^|[^\pL\pN*])\*([^*\n]+)\*`)
	italic   = regexp.MustCompile(`(^|[^\pL\pN_])_([^_\n]+)_`)
	mention  = regexp.MustCompile(`<@([UW][A-Z0-9]+)>`)
	// Few machines that run tests have a font with coloured dots.
	dots = strings.NewReplacer("🔴", dot("#dd2e44"), "🟠", dot("#f4900c"), "🟡", dot("#fdcb58"), "🔵", dot("#55acee"), "🟢", dot("#78b159"), "⚪", dot("#e6e7e8"))

	fromWire = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

func of(t *text) string {
	if t == nil {
		return ""
	}
	return render(*t)
}

// render shows a text object: entities are undone, then escaped for HTML, and
// the marks of mrkdwn are drawn, none of them within a code span.
func render(t text) string {
	var b strings.Builder
	if t.Type != "mrkdwn" {
		return words(t.Text)
	}
	last := 0
	for _, m := range codeSpan.FindAllStringSubmatchIndex(t.Text, -1) {
		b.WriteString(marks(t.Text[last:m[0]]))
		b.WriteString("<code>" + words(t.Text[m[2]:m[3]]) + "</code>")
		last = m[1]
	}
	b.WriteString(marks(t.Text[last:]))
	return b.String()
}

func words(s string) string { return dots.Replace(html.EscapeString(fromWire.Replace(s))) }

func dot(colour string) string { return `<span class="dot" style="background:` + colour + `"></span>` }

// marks draws mentions, which stand bare in what Slack takes, then the others.
func marks(s string) string {
	var b strings.Builder
	last := 0
	for _, m := range mention.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(words(s[last:m[0]]) + `<span class="mention">@` + s[m[2]:m[3]] + "</span>")
		last = m[1]
	}
	b.WriteString(words(s[last:]))
	out := bold.ReplaceAllString(b.String(), "$1<b>$2</b>")
	return italic.ReplaceAllString(out, "$1<i>$2</i>")
}
