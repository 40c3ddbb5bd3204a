package detector

// step is how far an actor's evidence was when a span closed.
type step struct {
	_     struct{} `cbor:",toarray"`
	Epoch int32    // of the lane
	R     float32  // log10, as the line of the budget
}

// path is how an actor's evidence went lately, so that it can be shown: the latest spans
// that left some, and after each run of them the one that left none. It changes nothing
// that is judged.
type path []step

const (
	// pathSteps bounds a path, and pathFrom (log10) is what counts as some evidence: where
	// nothing is wrong R is about one.
	pathSteps = 32
	pathFrom  = 0.5
)

// note adds a span that closed.
func (p *path) note(epoch int64, r float64) {
	if n := len(*p); r < pathFrom && (n == 0 || (*p)[n-1].R < pathFrom) {
		return
	}
	if len(*p) == pathSteps {
		*p = append((*p)[:0], (*p)[1:]...)
	}
	*p = append(*p, step{Epoch: int32(epoch), R: float32(r)})
}
