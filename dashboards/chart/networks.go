package chart

import (
	"fmt"
	"html/template"
	"strings"

	"vigil/dashboards/phrase"
)

// NetworkBar is one network of a picture of networks.
type NetworkBar struct {
	// Name is the network's, Place the country and the system that it is in, as far as is
	// known.
	Name, Place string
	Accesses    int64
	// Before counts its accesses in the time before that is known; New says that there is
	// none.
	Before int64
	New    bool
}

// maxNetworks bounds the networks of one picture; the rest is told beside it.
const maxNetworks = 16

const (
	networkRow  = 40.0
	networkHead = 30.0
)

// Networks draws from where accesses came: the networks by the place that they are in,
// each with a bar as long as its part, and those that are new told apart. Networks of one
// place stand together, in the order of the first of them. id must be unique on the page.
// Without networks the result is empty.
func Networks(id string, list []NetworkBar) template.HTML {
	if len(list) == 0 {
		return ""
	}
	list = list[:min(len(list), maxNetworks)]
	var places []string
	by := map[string][]NetworkBar{}
	most := int64(1)
	told := make([]string, 0, len(list))
	for _, n := range list {
		if by[n.Place] == nil {
			places = append(places, n.Place)
		}
		by[n.Place] = append(by[n.Place], n)
		most = max(most, n.Accesses)
		told = append(told, describeNetwork(n))
	}
	var c canvas
	c.open("networks", id, float64(len(list))*networkRow+float64(len(places))*networkHead, "From where", strings.Join(told, " "))
	y := 0.0
	for i, place := range places {
		if i > 0 {
			c.line("rule", 0, y, 100, y)
		}
		word := place
		if word == "" {
			word = "place not known"
		}
		c.text("note", 0, y+20, false, phrase.Shorten(phrase.Text(word, 120), 48))
		y += networkHead
		for _, n := range by[place] {
			class, tag := "net-bar", ""
			switch {
			case n.New:
				class, tag = "net-bar new", "new · "
			case n.Before > 0:
				tag = phrase.Count(n.Before) + " before, now "
			}
			c.text("code", 0, y+13, false, phrase.Shorten(phrase.Text(n.Name, 120), 34))
			c.text("value", 100, y+13, true, tag+phrase.Count(n.Accesses))
			c.rect("net-all", 0, y+20, 100, 8)
			c.rect(class, 0, y+20, max(100*float64(n.Accesses)/float64(most), 0.6), 8)
			y += networkRow
		}
	}
	return c.close()
}

func describeNetwork(n NetworkBar) string {
	s := phrase.Text(n.Name, 80)
	if n.Place != "" {
		s += " (" + phrase.Text(n.Place, 80) + ")"
	}
	s += ": " + phrase.Plural(n.Accesses, "access", "accesses")
	switch {
	case n.New:
		s += ", new"
	case n.Before > 0:
		s += ", " + phrase.Count(n.Before) + " before"
	}
	return fmt.Sprintf("%s.", s)
}
