package teams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"vigil"
	"vigil/alerts"
)

// object is a JSON object of an Adaptive Card (adaptivecards.io, version 1.5).
type object = map[string]any

// colours are Adaptive Cards' own, which fit light, dark and high contrast.
var colours = map[vigil.Severity]string{vigil.SeverityCritical: "Attention", vigil.SeverityHigh: "Warning", vigil.SeverityMedium: "Warning", vigil.SeverityLow: "Accent"}

// styles are the containers' behind the title.
var styles = map[vigil.Severity]string{vigil.SeverityCritical: "attention", vigil.SeverityHigh: "warning", vigil.SeverityMedium: "warning", vigil.SeverityLow: "accent"}

// limits are what a card holds at most: texts in characters, lists in elements.
type limits struct {
	text, fields, standing, lines, notes, why int
}

// tries are tried in their order until a card is short enough; the last one always is.
var tries = []limits{
	{700, alerts.MaxFields, alerts.MaxStanding, alerts.MaxDigestFindings, 20, alerts.MaxReasons},
	{300, alerts.MaxFields, alerts.MaxStanding, alerts.MaxDigestFindings, 5, alerts.MaxReasons},
	{150, 4, 4, 5, 3, 2},
	{100, 2, 0, 0, 0, 0},
}

// render makes the message that a workflow takes. It says whether something had to be
// left out.
func render(c alerts.Card, news string) (body []byte, short bool, err error) {
	for i, l := range tries {
		body, err = encode(object{
			"type":    "message",
			"summary": plain(c.Title, 140),
			"attachments": []any{object{
				"contentType": "application/vnd.microsoft.card.adaptive",
				"content":     card(c, news, l),
			}},
		})
		if err != nil || len(body) <= MaxCard {
			return body, i > 0, err
		}
	}
	return nil, true, errors.New("the card is too long for Teams")
}

// encode leaves < and > as they are: as \u003c they would take six times the room.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("the card can't be written: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

var unlinked = strings.NewReplacer("://", "[:]//", "www.", "www[.]")

// plain makes text that Teams neither makes links nor functions of.
func plain(s string, max int) string {
	s = unlinked.Replace(s)
	for strings.Contains(s, "{{") { // of three, one pass leaves two
		s = strings.ReplaceAll(s, "{{", "{ {")
	}
	return alerts.Cut(s, max)
}

// run is a piece of text, shown as it is.
func run(s string, more object) object {
	r := object{"type": "TextRun", "text": s}
	for k, v := range more {
		r[k] = v
	}
	return r
}

// rich is a line of runs.
func rich(more object, runs ...object) object {
	r := object{"type": "RichTextBlock", "inlines": runs}
	for k, v := range more {
		r[k] = v
	}
	return r
}

func card(c alerts.Card, news string, l limits) object {
	var body []any
	if news != "" {
		body = append(body, object{"type": "Container", "style": "emphasis", "items": []any{
			rich(nil, run("New: ", object{"weight": "Bolder"}), run(plain(news, l.text), nil))}})
	}
	head := object{"type": "Container", "items": []any{rich(nil, run(plain(c.Title, 140), object{"weight": "Bolder", "size": "Large", "color": titleColour(c)}))}}
	if s := styles[c.Severity]; s != "" && !c.Closed && len(c.Lines) == 0 {
		head["style"] = s
		head["bleed"] = true
	}
	body = append(body, head, rich(object{"spacing": "Medium"}, run(plain(c.Sentence, l.text), nil)))
	for i, f := range c.Fields[:min(len(c.Fields), l.fields)] {
		body = append(body, field(f, i == 0, l.text))
	}
	if len(c.Standing) > 0 && l.standing > 0 {
		body = append(body, rich(object{"spacing": "Medium", "separator": true}, run("The case", object{"weight": "Bolder"})))
	}
	for _, f := range c.Standing[:min(len(c.Standing), l.standing)] {
		body = append(body, field(f, false, l.text))
	}
	body = append(body, list(c, l)...)
	body = append(body, why(c, l)...)
	for _, s := range []string{c.Counterfactual, c.NotJudged} {
		if s != "" && l.why > 0 {
			body = append(body, rich(object{"spacing": "Small"}, run(plain(s, l.text), object{"isSubtle": true})))
		}
	}
	if c.Footer != "" {
		body = append(body, rich(object{"spacing": "Medium"}, run(plain(c.Footer, 200), object{"isSubtle": true, "size": "Small"})))
	}
	out := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.5",
		"msteams": object{"width": "Full"}, "fallbackText": plain(c.Title, 140), "body": body,
	}
	if c.Link != "" {
		out["actions"] = []any{object{"type": "Action.OpenUrl", "title": "Open in the console", "url": c.Link}}
	}
	return out
}

// titleColour is the severity's, but a digest's title raises no alarm.
func titleColour(c alerts.Card) string {
	if c.Closed || len(c.Lines) > 0 {
		return "Default"
	}
	return orDefault(colours[c.Severity])
}

func orDefault(colour string) string {
	if colour == "" {
		return "Default"
	}
	return colour
}

// field is a fact: its label, and its value in lines. A set of facts would read Markdown.
func field(f alerts.Field, separator bool, max int) object {
	var items []any
	for _, line := range lines(f.Value) {
		var runs []object
		for _, r := range line {
			more := object{}
			if r.Name {
				more["fontType"] = "Monospace"
			}
			runs = append(runs, run(plain(r.S, max), more))
		}
		if len(runs) > 0 {
			items = append(items, rich(object{"spacing": "None"}, runs...))
		}
	}
	return columns(separator, "100px", []any{rich(nil, run(plain(f.Label, 40), object{"isSubtle": true}))}, items)
}

func columns(separator bool, width string, left, right []any) object {
	return object{"type": "ColumnSet", "spacing": "Small", "separator": separator, "columns": []any{
		object{"type": "Column", "width": width, "items": left},
		object{"type": "Column", "width": "stretch", "items": right},
	}}
}

// list is a digest's findings, and notes.
func list(c alerts.Card, l limits) []any {
	var out []any
	shown := c.Lines[:min(len(c.Lines), l.lines)]
	for _, line := range shown {
		head := []object{}
		if line.Severity.Rank() > 0 {
			head = append(head, run(alerts.SeverityWord(line.Severity)+": ", object{"weight": "Bolder", "color": orDefault(colours[line.Severity])}))
		}
		head = append(head, run(plain(line.Who, 120), object{"weight": "Bolder"}))
		if !line.At.IsZero() {
			head = append(head, run(" "+alerts.Moment(line.At), object{"isSubtle": true}))
		}
		out = append(out, rich(object{"separator": true}, head...), rich(object{"spacing": "None"}, run(plain(line.Text, l.text), nil)))
	}
	if more := len(c.Lines) - len(shown) + c.More; more > 0 && len(c.Lines) > 0 {
		out = append(out, rich(nil, run(fmt.Sprintf("and %d more", more), object{"isSubtle": true})))
	}
	for _, n := range c.Notes[:min(len(c.Notes), l.notes)] {
		out = append(out, rich(object{"spacing": "Small"}, run("– "+plain(n, l.text), nil)))
	}
	return out
}

// steps are how many blocks a bar has.
const steps = 8

// why are the reasons, each with a bar for its share.
func why(c alerts.Card, l limits) []any {
	shown := c.Why[:min(len(c.Why), l.why)]
	if len(shown) == 0 {
		return nil
	}
	out := []any{rich(object{"spacing": "Medium", "separator": true}, run("Why", object{"weight": "Bolder"}))}
	for _, r := range shown {
		n := int(r.Share*steps + .5)
		bar := strings.Repeat("■", n)
		rest := strings.Repeat("□", steps-n)
		var runs []object
		if bar != "" {
			runs = append(runs, run(bar, object{"color": "Accent"}))
		}
		if rest != "" {
			runs = append(runs, run(rest, object{"isSubtle": true}))
		}
		runs = append(runs, run(fmt.Sprintf(" %d%%", int(r.Share*100+.5)), object{"isSubtle": true}))
		out = append(out, columns(false, "160px", []any{rich(nil, runs...)}, []any{rich(nil, run(plain(r.Text, l.text), nil))}))
	}
	if more := len(c.Why) - len(shown) + c.More; more > 0 {
		out = append(out, rich(object{"spacing": "Small"}, run("and "+alerts.Count(int64(more), "smaller reason", "smaller reasons"), object{"isSubtle": true})))
	}
	return out
}

// lines splits a text at its breaks.
func lines(t alerts.Text) []alerts.Text {
	out := []alerts.Text{nil}
	for _, r := range t {
		for i, p := range strings.Split(r.S, "\n") {
			if i > 0 {
				out = append(out, nil)
			}
			if p != "" {
				out[len(out)-1] = append(out[len(out)-1], alerts.Run{S: p, Name: r.Name})
			}
		}
	}
	return out
}
