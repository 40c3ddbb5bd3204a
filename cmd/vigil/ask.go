package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxAnswer bounds a line that answers a question.
const maxAnswer = 16 << 10

// errAnswersEnded says that standard input ended before the last question.
var errAnswersEnded = errors.New("the answers ended here, and nothing was written; --yes takes the default of each question")

// asker asks questions, one at a time, and reads answers a line at a time. It is for one
// goroutine.
type asker struct {
	out io.Writer
	// yes takes the default of each question.
	yes bool
	// echo writes answers that nobody has typed behind their questions.
	echo  bool
	lines chan string
	err   error // why lines ended; read after lines is closed
	stop  chan struct{}
}

// newAsker begins to read; who asks nothing reads nothing.
func newAsker(streams streams, yes bool) *asker {
	a := &asker{out: streams.out, yes: yes, lines: make(chan string), stop: make(chan struct{})}
	if yes {
		return a
	}
	w, isWriter := streams.in.(io.Writer)
	a.echo = !isWriter || !isTerminal(w)
	go a.read(streams.in)
	return a
}

// read passes lines on. It may stay behind in a read that does not end, as one from a
// terminal does not when the command is interrupted.
func (a *asker) read(in io.Reader) {
	defer close(a.lines)
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxAnswer)
	for scanner.Scan() {
		select {
		case a.lines <- scanner.Text():
		case <-a.stop:
			return
		}
	}
	a.err = scanner.Err()
}

func (a *asker) close() { close(a.stop) }

// ask shows a question with its default and hands the answer to take. When take does not
// want it, its reason is shown and the question asked again.
func (a *asker) ask(ctx context.Context, question, usual string, take func(answer string) error) error {
	if a.yes {
		return take(usual)
	}
	for {
		fmt.Fprintf(a.out, "%s [%s]: ", question, printable(usual))
		answer, err := a.answer(ctx)
		if err != nil {
			fmt.Fprintln(a.out)
			return err
		}
		if a.echo {
			fmt.Fprintln(a.out, printable(answer))
		}
		if answer == "" {
			answer = usual
		}
		err = take(answer)
		if err == nil || errors.Is(err, context.Canceled) {
			return err
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintf(a.out, "  %s\n", printable(line))
		}
	}
}

func (a *asker) answer(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line, ok := <-a.lines:
		switch {
		case ok:
			return strings.TrimSpace(line), nil
		case a.err != nil:
			return "", fmt.Errorf("read the answer: %w", a.err)
		}
		return "", errAnswersEnded
	}
}
