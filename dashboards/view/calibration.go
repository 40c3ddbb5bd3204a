package view

import (
	"html/template"
	"strconv"

	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// Calibrated is how well the p-values of one model are calibrated, as it is shown.
type Calibrated struct {
	Name, About, Answers string
	// Below says how often p-values lie below 1 in 10, 100, 1 000 and 10 000.
	Below []string
	// Plain says that the picture has the model's own probabilities, too.
	Plain   bool
	Picture template.HTML
}

// calibratedDecades are the decades that a table of calibration names.
const calibratedDecades = 4

// newCalibrated makes what is shown of each model. prefix makes ids unique on the page.
func newCalibrated(prefix string, models []api.ReplayModel) (out []Calibrated) {
	for i := range models {
		m := &models[i]
		v := Calibrated{Name: phrase.Text(m.Model, 40), About: phrase.Model(m.Model), Answers: phrase.Count(m.Answers), Plain: m.Scored > 0}
		below := shares(m.Below, m.Answers)
		desc := "Of " + v.Answers + " answers"
		for d := 1; d <= calibratedDecades; d++ {
			said := "none"
			if n := d * api.ReplayModelSteps; n < len(below) && below[n] > 0 {
				said = phrase.OneIn(below[n])
			}
			v.Below = append(v.Below, said)
			desc += "; below 1 in 1" + zeros(d) + ": " + said
		}
		v.Picture = chart.Calibration(prefix+"-"+strconv.Itoa(i), "Calibration of "+v.Name, desc, api.ReplayModelSteps, below, shares(m.Scores, m.Scored))
		out = append(out, v)
	}
	return out
}

func zeros(n int) string { return "0000000000"[:n] }

// shares turns counts into shares of all.
func shares(counts []int64, all int64) []float64 {
	out := make([]float64, 0, len(counts))
	for _, n := range counts {
		if all <= 0 {
			break
		}
		out = append(out, float64(n)/float64(all))
	}
	return out
}
