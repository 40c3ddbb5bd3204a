package vigil

import "time"

// ControlAbsence is the type of the control records that hold an [Absence].
const ControlAbsence = "absence"

// Absence is a time in which nobody listened to the sources: the program was stopped, or
// could take nothing in. What a source did not tell then is not the source's silence. It
// enters the log before what comes afterwards.
type Absence struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}
