package api

import (
	"context"
	"time"
)

// DrillState says what became of a staged breach.
type DrillState string

// The states, the worst last but one: what cannot be seen is not the detector's miss.
const (
	// DrillFound: found in most worlds, before half of what was taken had been shown.
	DrillFound DrillState = "found"
	// DrillPartly: found in some worlds, or only after half of it.
	DrillPartly DrillState = "partly"
	// DrillMissed: found in none, though the traffic tells what is needed.
	DrillMissed DrillState = "missed"
	// DrillUnseen: the traffic does not tell what is needed to see it, or to stage it.
	DrillUnseen DrillState = "unseen"
)

// DrillTraffic says in what breaches are staged.
type DrillTraffic string

// The traffic of drills.
const (
	// DrillRecorded is a copy of what the sources told; nothing of it is changed.
	DrillRecorded DrillTraffic = "recorded"
	// DrillMadeUp is the traffic of a company that is made up.
	DrillMadeUp DrillTraffic = "made-up"
)

// DrillAsk asks for a drill.
type DrillAsk struct {
	On DrillTraffic
	// Scenarios are the ids of the breaches to stage; none means all.
	Scenarios []string
	// Intensity scales how much is taken: above 0, at most 100; 1 is plain.
	Intensity float64
	// Key is one for each press: what comes twice is done once.
	Key string
}

// DrillRow is what became of one breach.
type DrillRow struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
	// State and, where it is not found, Why.
	State DrillState `json:"state"`
	Why   string     `json:"why,omitempty"`
	// Found in so many of so many worlds.
	Found int `json:"found"`
	Of    int `json:"of"`
	// Exposed is how many customers were shown before it was found, of Taken.
	Exposed float64 `json:"exposed"`
	Taken   float64 `json:"taken"`
	// Seconds is the time to detection, vigil.Unknown (-1) for never.
	Seconds float64 `json:"seconds"`
}

// Drill is one that is over.
type Drill struct {
	ID        string       `json:"id"`
	By        string       `json:"by"`
	On        DrillTraffic `json:"on"`
	Intensity float64      `json:"intensity"`
	Began     time.Time    `json:"began"`
	Ended     time.Time    `json:"ended"`
	// Failed says why it came to nothing, Stopped that somebody ended it; empty and false
	// where it has Rows.
	Failed  string     `json:"failed,omitempty"`
	Stopped bool       `json:"stopped,omitempty"`
	Rows    []DrillRow `json:"rows,omitempty"`
	// Events are those of the traffic, by so many Actors in the time From to To.
	Events int64     `json:"events"`
	Actors int       `json:"actors"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	// False is the findings about nothing, of a day for each 1,000 actors; TrapsQuiet of
	// Traps innocent happenings raised nothing.
	False      float64 `json:"false_per_1000_actors_day"`
	TrapsQuiet int     `json:"traps_quiet"`
	Traps      int     `json:"traps"`
}

// DrillRunning is the one that runs: Done of Total parts of it are over.
type DrillRunning struct {
	ID    string       `json:"id"`
	By    string       `json:"by"`
	On    DrillTraffic `json:"on"`
	Began time.Time    `json:"began"`
	Done  int          `json:"done"`
	Total int          `json:"total"`
}

// DrillChoice is a breach that can be staged.
type DrillChoice struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
}

// Drills are those that are kept, the newest first, and the one that runs, nil for none.
type Drills struct {
	Running *DrillRunning
	Kept    []Drill
	Choices []DrillChoice
}

// Driller stages breaches beside what is live, which sees nothing of it. Who begins or
// ends one is in the audit log before it happens. The errors wrap ErrRefused for what
// can't be done as asked.
type Driller interface {
	Drills(ctx context.Context) (Drills, error)
	// StartDrill begins one, of which there is one at a time, in the background.
	StartDrill(ctx context.Context, ask DrillAsk) error
	// StopDrill ends the one that runs, if it has this id.
	StopDrill(ctx context.Context, id string) error
}
