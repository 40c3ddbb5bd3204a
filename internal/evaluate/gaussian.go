package evaluate

import "math"

// The window of the Gaussian, and how many points pass before it is moved, as in
// the detector of that name on NAB's scoreboard (Ahmad et al., "Unsupervised
// real-time anomaly detection for streaming data", 2017).
const (
	gaussianWindow = 6400
	gaussianStep   = 100
)

// windowedGaussian is the simplest detector of a series, to compare with: how far
// each point lies from the mean of a window before it, in standard deviations.
func windowedGaussian(values []float64) []float64 {
	scores := make([]float64, len(values))
	mean, sd := 0.0, 0.0
	for i, v := range values {
		if i > 0 && (i < gaussianStep || i%gaussianStep == 0) {
			mean, sd = moments(values[max(0, i-gaussianWindow):i])
		}
		if i > 1 {
			scores[i] = math.Abs(v-mean) / (sd + 1e-9)
		}
	}
	return scores
}

func moments(values []float64) (mean, sd float64) {
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		sd += float64((v - mean) * (v - mean))
	}
	return mean, math.Sqrt(sd / float64(len(values)))
}
