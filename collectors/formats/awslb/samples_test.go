package awslb_test

import (
	"testing"

	"vigil/collectors/formats/awslb"
	"vigil/collectors/formats/formatstest"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"aws_lb_gateway"}}.Check(t, awslb.New())
}
