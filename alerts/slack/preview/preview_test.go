package preview_test

import (
	"strings"
	"testing"

	"vigil/alerts/slack/preview"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	page := string(preview.HTML([]byte(`[{"type":"header","text":{"type":"plain_text","text":"🔴 a &amp; b &lt;script&gt;"}},
		{"type":"section","text":{"type":"mrkdwn","text":"*Why* and _how_ of snake_case_name in `+"`*code*`"+`"},"fields":[{"type":"plain_text","text":"*no*"}]},
		{"type":"context","elements":[{"type":"plain_text","text":"small"}]},{"type":"divider"},{"type":"odd\u003cx\u003e"},
		{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Open"},"url":"http://h/\"x","style":"primary"}]}]`), nil))
	for _, want := range []string{"a &amp; b &lt;script&gt;", "<b>Why</b>", "<i>how</i>", "snake_case_name", "<code>*code*</code>", "*no*", "small", "<hr>", "(odd&lt;x&gt; block)", `class="button primary"`, "Content-Security-Policy"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in %s", want, page)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, `/"x`) {
		t.Error("foreign text acts")
	}
	if page := string(preview.HTML([]byte("{<b>"), nil)); !strings.Contains(page, "These are no blocks") || strings.Contains(page, "<b>\n") {
		t.Errorf("bad blocks: %s", page)
	}
}

// TestModal draws what people fill in.
func TestModal(t *testing.T) {
	t.Parallel()
	page := string(preview.HTML([]byte(`{"type":"modal","title":{"type":"plain_text","text":"Snooze &lt;b&gt;"},"submit":{"type":"plain_text","text":"Do it"},"close":{"type":"plain_text","text":"Cancel"},"blocks":[
		{"type":"section","text":{"type":"mrkdwn","text":"Of <@U0ABC> and <!channel>"},"accessory":{"type":"button","style":"danger","text":{"type":"plain_text","text":"Stop"}}},
		{"type":"input","label":{"type":"plain_text","text":"Why"},"hint":{"type":"plain_text","text":"In a sentence"},"optional":true,"element":{"type":"plain_text_input","multiline":true,"placeholder":{"type":"plain_text","text":"Say"}}},
		{"type":"input","label":{"type":"plain_text","text":"Until"},"element":{"type":"static_select","options":[],"initial_option":{"text":{"type":"plain_text","text":"Tomorrow"},"value":"1"}}},
		{"type":"input","label":{"type":"plain_text","text":"Word"},"element":{"type":"radio_buttons","initial_option":{"text":{"type":"plain_text","text":"A"},"value":"a"},
			"options":[{"text":{"type":"plain_text","text":"A"},"value":"a","description":{"type":"plain_text","text":"the first"}},{"text":{"type":"plain_text","text":"<i>B"},"value":"b"}]}},
		{"type":"input","label":{"type":"plain_text","text":"Who"},"element":{"type":"users_select","initial_user":"U0ABC"}},
		{"type":"input","label":{"type":"plain_text","text":"Day"},"element":{"type":"datepicker","initial_date":"2026-11-04"}},
		{"type":"image","alt_text":"a \"picture\"","slack_file":{"id":"F1"}},{"type":"image","alt_text":"<none>","slack_file":{"id":"F2"}},
		{"type":"actions","elements":[{"type":"overflow","options":[{"text":{"type":"plain_text","text":"More"}}]}]}]}`), preview.Files{"F1": []byte("png")}))
	for _, want := range []string{
		`class="bar text">Snooze &lt;b&gt;`, ">Do it<", ">Cancel<", `<span class="mention">@U0ABC</span>`, "&lt;!channel&gt;", `class="button danger"`, "(optional)", "In a sentence",
		`class="input tall empty"`, ">Say<", `class="input list"`, "Tomorrow", `class="round on"`, `class="round"`, "the first", "&lt;i&gt;B", "@U0ABC<", "2026-11-04",
		`alt="a &#34;picture&#34;" src="data:image/png;base64,cG5n"`, "&lt;none&gt;", `title="More">⋯`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in %s", want, page)
		}
	}
	if strings.Contains(page, "<i>B") || strings.Contains(page, "<!channel") {
		t.Error("foreign text acts")
	}
}
