package trouble_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"vigil/internal/trouble"
)

func TestTroubleIsLoggedWhenItChanges(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &trouble.Log{Part: "console", Logger: slog.New(slog.NewTextHandler(&out, nil))}
	l.Over()
	for range 3 {
		l.Say("findings", errors.New("the disk is full\nlevel=ERROR forged"))
	}
	l.Say("cases", errors.New("the disk is full"))
	l.Over()
	l.Over()
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines, want 3:\n%s", n, out.String())
	}
	if !strings.Contains(out.String(), "console: all works again") || strings.Contains(out.String(), "\nlevel=ERROR forged") {
		t.Errorf("the log says:\n%s", out.String())
	}
}
