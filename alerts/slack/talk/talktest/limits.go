package talktest

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Texts are all texts of some JSON of Slack's, a line each.
func Texts(raw []byte) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	var b strings.Builder
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if s, ok := v["text"].(string); ok {
				b.WriteString(s + "\n")
			}
			for _, k := range []string{"title", "label", "blocks", "text", "fields", "elements", "element", "options", "submit", "hint"} {
				walk(v[k])
			}
		}
	}
	walk(v)
	return b.String()
}

// mention names a user of these tests; foreign text has no such id.
var mention = regexp.MustCompile(`<@U0[A-Z]+>`)

var entity = regexp.MustCompile(`&(amp|lt|gt);`)

// checkText looks for anything in a text that would act.
func checkText(tb testing.TB, kind, s string, verbatim bool, max int) {
	tb.Helper()
	if n := utf8.RuneCountInString(s); n == 0 || n > max {
		tb.Errorf("a text of %d characters, at most %d: %.60q", n, max, s)
	}
	if kind == "mrkdwn" {
		s = mention.ReplaceAllString(s, "") // of our own making
	}
	if !utf8.ValidString(s) || strings.ContainsAny(s, "<>") || strings.Contains(entity.ReplaceAllString(s, ""), "&") {
		tb.Errorf("not escaped: %q", s)
	}
	if strings.Contains(s, "://") {
		tb.Errorf("an address that may become a link: %q", s)
	}
	for _, r := range s {
		if r != '\n' && !unicode.IsPrint(r) {
			tb.Errorf("%U shows nothing or acts: %q", r, s)
		}
	}
	if kind == "mrkdwn" && !verbatim {
		tb.Errorf("mrkdwn that Slack may make links in: %q", s)
	}
	if kind == "mrkdwn" {
		for _, line := range strings.Split(s, "\n") {
			if strings.Count(line, "`")%2 != 0 {
				tb.Errorf("a code span is left open: %q", line)
			}
		}
	}
}

// checkAny holds all texts within some JSON to Slack's limits.
func checkAny(tb testing.TB, v any) {
	tb.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			checkAny(tb, e)
		}
	case map[string]any:
		if s, ok := v["text"].(string); ok {
			kind, _ := v["type"].(string)
			verbatim, _ := v["verbatim"].(bool)
			checkText(tb, kind, s, verbatim, 3000)
			return
		}
		switch v["type"] {
		case "button":
			if u, ok := v["url"].(string); ok && !strings.HasPrefix(u, Console) {
				tb.Errorf("a button opens %q", u)
			}
		case "static_select", "radio_buttons":
			found := v["initial_option"] == nil
			for _, o := range v["options"].([]any) {
				o := o.(map[string]any)
				checkText(tb, "", o["text"].(map[string]any)["text"].(string), false, 75)
				if d, ok := o["description"].(map[string]any); ok {
					checkText(tb, "", d["text"].(string), false, 75)
				}
				if val := o["value"].(string); val == "" || len(val) > 75 {
					tb.Errorf("an option's value %q", val)
				}
				if i, ok := v["initial_option"].(map[string]any); ok && i["value"] == o["value"] {
					found = true
				}
			}
			if !found {
				tb.Error("what is chosen first is no option")
			}
		}
		for _, e := range v {
			checkAny(tb, e)
		}
	}
}

// CheckBlocks holds a message's blocks to Slack's limits.
func CheckBlocks(tb testing.TB, raw []byte) {
	tb.Helper()
	var bs []map[string]any
	if err := json.Unmarshal(raw, &bs); err != nil {
		tb.Fatalf("%v: %s", err, raw)
	}
	if len(bs) == 0 || len(bs) > 50 {
		tb.Fatalf("%d blocks", len(bs))
	}
	ids := map[string]bool{}
	for _, b := range bs {
		if id, ok := b["block_id"].(string); ok && id != "" {
			if ids[id] {
				tb.Errorf("two blocks %q", id)
			}
			ids[id] = true
		}
		checkAny(tb, b)
	}
}

// CheckView holds a dialogue to Slack's limits.
func CheckView(tb testing.TB, raw []byte) {
	tb.Helper()
	var v struct {
		Type                 string
		Title, Submit, Close *struct{ Type, Text string }
		Blocks               json.RawMessage
		Meta                 string `json:"private_metadata"`
		Callback             string `json:"callback_id"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		tb.Fatal(err)
	}
	if v.Type != "modal" || v.Title == nil || v.Close == nil {
		tb.Fatalf("no dialogue: %s", raw)
	}
	checkText(tb, "", v.Title.Text, false, 24)
	checkText(tb, "", v.Close.Text, false, 24)
	if v.Submit != nil {
		checkText(tb, "", v.Submit.Text, false, 24)
	} else if strings.Contains(string(v.Blocks), `"type":"input"`) {
		tb.Error("inputs that can't be submitted")
	}
	if (v.Submit != nil) != (v.Callback != "") {
		tb.Error("what is submitted has no name")
	}
	if n := utf8.RuneCountInString(v.Meta); n > 3000 {
		tb.Errorf("metadata of %d characters", n)
	}
	CheckBlocks(tb, v.Blocks)
}
