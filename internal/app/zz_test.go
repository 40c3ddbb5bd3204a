package app_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"vigil/internal/app"
)

func TestZZ(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		t.Skip()
	}
	s := time.Now()
	r, err := app.Scan(context.Background(), app.Input{Files: []string{os.Getenv("ZZ")}}, app.ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(len(r.Findings), time.Since(s), r.Detector.Events)
}
