//go:build !race

package mysql_test

import (
	"os"
	"path/filepath"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/mysql"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, mysql.New(), filepath.Join("testdata", "mysql"))
}

func TestGoldenMariaDB(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, mysql.NewMariaDB(), filepath.Join("testdata", "mariadb"))
}

// Of the two formats only that whose server wrote a log is sure of it.
func TestToldApart(t *testing.T) {
	t.Parallel()
	for dir, f := range map[string]formats.Format{"mysql": mysql.NewMariaDB(), "mariadb": mysql.New()} {
		inputs, _ := filepath.Glob(filepath.Join("testdata", dir, "*", "input.log"))
		for _, input := range inputs {
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			if sure := f.Detect(text); sure >= 0.5 {
				t.Errorf("%s takes %s for its own: %v", f.Name(), input, sure)
			}
		}
	}
}

func FuzzMySQL(f *testing.F) {
	inputs, _ := filepath.Glob(filepath.Join("testdata", "*", "*", "input.log"))
	for _, input := range inputs {
		text, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	my := mysql.New()
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, my, formats.Options{Source: "db", Mapping: mapping()}, input)
	})
}
