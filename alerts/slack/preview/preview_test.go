package preview_test

import (
	"strings"
	"testing"

	"vigil/alerts/slack/preview"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	page := string(preview.HTML([]byte(`[{"type":"header","text":{"type":"plain_text","text":"🔴 a &amp; b &lt;script&gt;"}},
		{"type":"section","text":{"type":"mrkdwn","text":"*Why* and _how_ of snake_case_name in ` + "`*code*`" + `"},"fields":[{"type":"plain_text","text":"*no*"}]},
		{"type":"context","elements":[{"type":"plain_text","text":"small"}]},{"type":"divider"},{"type":"odd\u003cx\u003e"},
		{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Open"},"url":"http://h/\"x","style":"primary"}]}]`)))
	for _, want := range []string{"a &amp; b &lt;script&gt;", "<b>Why</b>", "<i>how</i>", "snake_case_name", "<code>*code*</code>", "*no*", "small", "<hr>", "(odd&lt;x&gt; block)", `class="button primary"`, "Content-Security-Policy"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in %s", want, page)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, `/"x`) {
		t.Error("foreign text acts")
	}
	if page := string(preview.HTML([]byte("{<b>"))); !strings.Contains(page, "These are no blocks") || strings.Contains(page, "<b>\n") {
		t.Errorf("bad blocks: %s", page)
	}
}
