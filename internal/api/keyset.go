package api

// FindingKey is where a finding stands in the queue. What follows it in the list does
// not depend on what comes or goes before it.
type FindingKey struct {
	// Weight is the harm, times how likely a breach it is where that is known; Severity
	// its rank; Detected in nanoseconds since 1970.
	Weight   float64 `json:"w"`
	Severity int     `json:"s"`
	Detected int64   `json:"d"`
	ID       string  `json:"id"`
}
