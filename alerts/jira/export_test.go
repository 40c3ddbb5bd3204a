package jira

import (
	"encoding/json"

	"vigil/alerts"
)

// Forms are a message's title, its description and a comment of it in both forms.
func Forms(m alerts.Message, console, remarked string) (title string, docs [][]byte, markup []string) {
	for _, d := range []document{describe(m, console), remark(plain(remarked, maxText), markOf(m.ID, "reply"))} {
		b, err := json.Marshal(d.cloud())
		if err != nil {
			panic(err)
		}
		docs, markup = append(docs, b), append(markup, d.markup())
	}
	return summary(m, console), docs, markup
}
