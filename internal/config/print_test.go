package config_test

import (
	"testing"

	"vigil/internal/config"
)

func TestPrint(t *testing.T) {
	t.Setenv("VIGIL_PRINT_TEST", "one-secret-value")
	make := func(change func(*config.Source)) config.Print {
		s := config.Source{Name: "a", File: []string{"x", "y"}, Params: map[string]string{"p": "1", "q": "2"}, Push: &config.Push{Token: config.NewSecret("env:VIGIL_PRINT_TEST")}}
		if change != nil {
			change(&s)
		}
		return config.PrintOf(s)
	}
	same := make(nil)
	if make(func(*config.Source) {}) != same {
		t.Error("two equal parts have two prints")
	}
	for name, change := range map[string]func(*config.Source){
		"name":       func(s *config.Source) { s.Name = "b" },
		"list":       func(s *config.Source) { s.File = []string{"xy"} },
		"map":        func(s *config.Source) { s.Params["p"] = "3" },
		"pointer":    func(s *config.Source) { s.Push = nil },
		"secret":     func(s *config.Source) { s.Push.Token = config.NewSecret("other") },
		"number":     func(s *config.Source) { s.Quota = 5 },
		"deep field": func(s *config.Source) { s.Mapping.Paths = []config.Path{{Template: "/x"}} },
	} {
		if make(change) == same {
			t.Errorf("%s: another part has the same print", name)
		}
	}
	t.Setenv("VIGIL_PRINT_TEST", "another-secret-value")
	if make(nil) == same {
		t.Error("a secret that changed where it is kept has the same print")
	}
}
