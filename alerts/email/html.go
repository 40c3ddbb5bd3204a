package email

import (
	_ "embed" // the mail's form
	"html/template"
	"strings"

	"vigil"
	"vigil/alerts"
)

//go:embed mail.html
var form string

// colours are those of the severities, readable on white and on black.
var colours = map[vigil.Severity]string{
	vigil.SeverityCritical: "#c4213a", vigil.SeverityHigh: "#d9630b", vigil.SeverityMedium: "#b58900", vigil.SeverityLow: "#3b7ea1",
}

const plainColour = "#6b7280"

var page = template.Must(template.New("mail").Funcs(template.FuncMap{
	"defang":  defang,
	"colour":  colour,
	"word":    severityWord,
	"percent": percent,
	"rest":    func(share float64) int { return 100 - percent(share) },
	"lines":   lines,
	"moment":  alerts.Moment,
	"count":   func(n int, one, many string) string { return alerts.Count(int64(n), one, many) },
}).Parse(form))

func colour(s vigil.Severity) template.CSS {
	if c := colours[s]; c != "" {
		return template.CSS(c) //nolint:gosec // a constant of ours
	}
	return plainColour
}

func severityWord(s vigil.Severity) string {
	if s.Rank() == 0 {
		return ""
	}
	return alerts.SeverityWord(s)
}

// lines splits a text at its breaks.
func lines(t alerts.Text) []alerts.Text {
	var out []alerts.Text
	line := alerts.Text{}
	for _, r := range t {
		parts := strings.Split(r.S, "\n")
		for i, p := range parts {
			if i > 0 {
				out = append(out, line)
				line = alerts.Text{}
			}
			if p != "" {
				line = append(line, alerts.Run{S: p, Name: r.Name})
			}
		}
	}
	return append(out, line)
}

// html is the mail's HTML part.
func (d draft) html() (string, error) {
	var b strings.Builder
	if err := page.Execute(&b, d); err != nil {
		return "", err
	}
	return b.String(), nil
}
