package novelty

import "unique"

// Label is a value's name, one copy for all the actors that know it. Labels are
// equal when their names are.
type Label struct {
	name unique.Handle[string]
}

// Intern returns the label of that name. The name is copied.
func Intern(name string) Label {
	if name == "" {
		return Label{}
	}
	return Label{unique.Make(name)}
}

// String is the name.
func (l Label) String() string {
	if l == (Label{}) {
		return ""
	}
	return l.name.Value()
}

// MarshalBinary gives the name, for what is kept.
func (l Label) MarshalBinary() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalBinary takes back a name.
func (l *Label) UnmarshalBinary(b []byte) error {
	*l = Intern(string(b))
	return nil
}
