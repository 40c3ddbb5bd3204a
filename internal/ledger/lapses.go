package ledger

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"vigil"
	"vigil/collectors"
)

// The bounds of what one batch may tell of its source.
const (
	maxLapses    = 100
	maxLapseText = 600
	maxLapseKind = 64
)

// lapses encodes what a batch tells of its source as controls. What is too much is
// summed up in the last.
func lapses(b *collectors.Batch, now time.Time) ([][]byte, error) {
	var out [][]byte
	for i, given := range b.Lapses {
		l := given
		l.Source, l.Text = b.Source, strings.ToValidUTF8(l.Text, "?")
		if len(l.Text) > maxLapseText {
			cut := maxLapseText
			for cut > 0 && !utf8.RuneStart(l.Text[cut]) {
				cut--
			}
			l.Text = l.Text[:cut]
		}
		l.Kind = l.Kind[:min(len(l.Kind), maxLapseKind)]
		for _, at := range []*time.Time{&l.Start, &l.End} { // others can't be written down
			if !at.IsZero() && (at.Before(earliest) || !at.Before(latest)) {
				*at = now
			}
			*at = at.UTC()
		}
		rest := len(b.Lapses) - i - 1
		last := i == maxLapses-1 && rest > 0
		if last {
			l.Text += fmt.Sprintf(" There were %d more at once.", rest)
		}
		data, err := json.Marshal(l)
		if err != nil {
			return nil, fmt.Errorf("encode lapse: %w", err)
		}
		out = append(out, encodeControl(vigil.Control{Type: vigil.ControlLapse, Data: data}))
		if last {
			break
		}
	}
	return out, nil
}
