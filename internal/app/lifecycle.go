package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// cleanupTime bounds each clean-up step.
const cleanupTime = 20 * time.Second

// cleanups is a stack of named steps that undo what has been started. It is used
// by one goroutine at a time.
type cleanups struct {
	steps  []cleanup
	logger *slog.Logger
}

type cleanup struct {
	name string
	run  func(ctx context.Context) error
}

// add puts a step on the stack.
func (c *cleanups) add(name string, run func(ctx context.Context) error) {
	c.steps = append(c.steps, cleanup{name, run})
}

// run takes the steps in reverse order. A step that fails, panics or takes longer
// than its time is reported and does not keep the others from running.
func (c *cleanups) run(ctx context.Context) error {
	var all []error
	for _, step := range slices.Backward(c.steps) {
		if err := runStep(ctx, step); err != nil {
			all = append(all, fmt.Errorf("%s: %w", step.name, err))
		}
	}
	c.steps = nil
	return errors.Join(all...)
}

func runStep(ctx context.Context, step cleanup) error {
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("panic: %v", r)
			}
		}()
		done <- step.run(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
