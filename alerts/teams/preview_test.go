package teams_test

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"
)

const previewHead = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><style>
:root{--bg:#f5f5f5;--card:#fff;--fg:#242424;--dim:#616161;--line:#e0e0e0;--Attention:#c4314b;--Warning:#8a5a00;--Accent:#5b5fc7;--Light:#d5d5d5;--attention:#fcf4f6;--warning:#fbf6d9;--accent:#f1f1fb;--emphasis:#f0f0f0}
@media (prefers-color-scheme:dark){:root{--bg:#1f1f1f;--card:#292929;--fg:#fff;--dim:#adadad;--line:#3d3d3d;--Attention:#f9526b;--Warning:#f2c661;--Accent:#9299f7;--Light:#5c5c5c;--attention:#3e1f25;--warning:#463100;--accent:#2f2f4a;--emphasis:#333}}
body{margin:0;padding:18px;background:var(--bg);color:var(--fg);font:14px/20px "Segoe UI","Noto Sans","DejaVu Sans",sans-serif}
.card{background:var(--card);border:1px solid var(--line);border-radius:4px;padding:16px;max-width:620px}
.card>*{margin-top:8px}.card>:first-child{margin-top:0}.Small{margin-top:8px}.None{margin-top:0!important}.Medium{margin-top:20px!important}
.sep{border-top:1px solid var(--line);padding-top:8px}.cols{display:flex;gap:8px}.stretch{flex:1;min-width:0}.text{overflow-wrap:anywhere}
.bleed{margin:0 -16px;padding:12px 16px}.box{padding:8px 12px}.button{display:inline-block;border:1px solid var(--line);border-radius:4px;padding:5px 12px;font-weight:600}
</style>`

// preview draws a card as a web page, near enough to Teams that it can be judged by eye,
// and fails the test at an element that it does not know.
func preview(tb testing.TB, body []byte) []byte {
	tb.Helper()
	var m struct {
		Attachments []struct {
			Content struct {
				Body    []json.RawMessage
				Actions []struct{ Title, URL string }
			}
		}
	}
	if err := json.Unmarshal(body, &m); err != nil || len(m.Attachments) != 1 {
		tb.Fatalf("no message: %v", err)
	}
	var b strings.Builder
	b.WriteString(previewHead + `<div class="card">`)
	for _, e := range m.Attachments[0].Content.Body {
		draw(tb, &b, e)
	}
	for _, a := range m.Attachments[0].Content.Actions {
		fmt.Fprintf(&b, `<div class="Medium"><span class="button" title="%s">%s</span></div>`, html.EscapeString(a.URL), html.EscapeString(a.Title))
	}
	b.WriteString("</div>")
	return []byte(b.String())
}

func draw(tb testing.TB, b *strings.Builder, raw json.RawMessage) {
	tb.Helper()
	var e struct {
		Type, Style, Spacing, Width string
		Separator, Bleed            bool
		Items, Columns              []json.RawMessage
		Inlines                     []struct {
			Type, Text, Weight, Size, Color, FontType string
			IsSubtle                                  bool
		}
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		tb.Fatal(err)
	}
	class, style := e.Spacing, ""
	if e.Separator {
		class += " sep"
	}
	all := func(items []json.RawMessage) {
		for _, i := range items {
			draw(tb, b, i)
		}
	}
	switch e.Type {
	case "Container":
		if class += " box"; e.Bleed {
			class += " bleed"
		}
		if e.Style != "" {
			style = "background:var(--" + e.Style + ")"
		}
		fmt.Fprintf(b, `<div class="%s" style="%s">`, class, style)
		all(e.Items)
		b.WriteString("</div>")
	case "ColumnSet":
		fmt.Fprintf(b, `<div class="cols %s">`, class)
		all(e.Columns)
		b.WriteString("</div>")
	case "Column":
		if e.Width == "stretch" {
			class += " stretch"
		} else {
			style = "flex:none;width:" + e.Width
		}
		fmt.Fprintf(b, `<div class="%s" style="%s">`, class, style)
		all(e.Items)
		b.WriteString("</div>")
	case "RichTextBlock":
		fmt.Fprintf(b, `<div class="text %s">`, class)
		for _, r := range e.Inlines {
			if r.Type != "TextRun" {
				tb.Fatalf("an inline %q", r.Type)
			}
			s := ""
			if r.Weight == "Bolder" {
				s += "font-weight:600;"
			}
			if r.Size == "Large" {
				s += "font-size:18px;line-height:24px;"
			}
			if r.Size == "Small" {
				s += "font-size:12px;"
			}
			if r.FontType == "Monospace" {
				s += "font-family:Consolas,'DejaVu Sans Mono',monospace;font-size:13px;"
			}
			if r.IsSubtle {
				s += "color:var(--dim);"
			}
			if r.Color != "" && r.Color != "Default" {
				s += "color:var(--" + r.Color + ");"
			}
			fmt.Fprintf(b, `<span style="%s">%s</span>`, s, html.EscapeString(r.Text))
		}
		b.WriteString("</div>")
	default:
		tb.Fatalf("an element %q, which may read Markdown", e.Type)
	}
}
