package privacy_test

import (
	"fmt"
	"testing"

	"vigil"
	"vigil/internal/privacy"
)

func stepOf(s *privacy.Steps, actor string, subjects ...string) vigil.Step {
	e := vigil.NewEvent()
	e.Actor.ID, e.Subjects = actor, subjects
	s.Event(e)
	return e.Step
}

func TestStepsTellTheOrderOfIDs(t *testing.T) {
	t.Parallel()
	var s privacy.Steps
	for _, c := range []struct {
		actor, subject string
		want           vigil.Step
	}{
		{"a", "cust-100", vigil.StepUnknown},
		{"a", "cust-101", vigil.StepNext},
		{"b", "cust-7", vigil.StepUnknown}, // another's walk
		{"a", "cust-117", vigil.StepNext},
		{"a", "cust-200", vigil.StepRose},
		{"a", "cust-200", vigil.StepUnknown},
		{"a", "cust-150", vigil.StepFell},
		{"a", "lead-151", vigil.StepUnknown}, // another kind of id
		{"a", "9f3a-no-number-x", vigil.StepUnknown},
		{"b", "cust-8@x", vigil.StepNext},
		{"b", "", vigil.StepUnknown},
		{"b", "cust-1234567890123456789012345", vigil.StepUnknown},
	} {
		if got := stepOf(&s, c.actor, c.subject); got != c.want {
			t.Errorf("%s reads %q: step %d, want %d", c.actor, c.subject, got, c.want)
		}
	}
}

func TestStepsFollowPages(t *testing.T) {
	t.Parallel()
	var s privacy.Steps
	stepOf(&s, "a", "c-1", "c-2", "c-3")
	if got := stepOf(&s, "a", "c-4", "c-5"); got != vigil.StepNext {
		t.Errorf("the page after: %d", got)
	}
}

func TestStepsKeepWhatTheSourceTold(t *testing.T) {
	t.Parallel()
	var s privacy.Steps
	stepOf(&s, "a", "c-1")
	e := vigil.NewEvent()
	e.Actor.ID, e.Subjects, e.Step = "a", []string{"c-2"}, vigil.StepRose
	s.Event(e)
	if e.Step != vigil.StepRose {
		t.Errorf("step %d", e.Step)
	}
}

func TestStepsAreBounded(t *testing.T) {
	t.Parallel()
	var s privacy.Steps
	stepOf(&s, "first", "c-1")
	for i := range 200_000 {
		stepOf(&s, fmt.Sprint("flood-", i), "c-1")
	}
	if got := stepOf(&s, "first", "c-2"); got != vigil.StepUnknown {
		t.Errorf("an actor is remembered through a flood: %d", got)
	}
}
