package haproxy_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/haproxy"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, haproxy.Format(), "testdata")
}

func TestParametersThatCantBe(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"trusted_proxies": "x", "timezone": "x", "colour": "x"} {
		if _, err := haproxy.Format().New(formats.Options{Params: map[string]string{name: value}}); err == nil {
			t.Errorf("%s=%s passes", name, value)
		}
	}
}

func FuzzDecode(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/input*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, haproxy.Format(), formats.Options{Source: "s"}, input)
	})
}
