package reasons

import (
	"strings"

	"vigil"
)

// The countries (ISO 3166-1 alpha-2) of the regions that laws on personal data know.
const (
	european = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
	economic = european + " IS LI NO"
)

// regionOf are the countries of a region by its name, lower case.
var regionOf = map[string][]string{"eu": strings.Fields(european), "eea": strings.Fields(economic), "uk": {"GB"}}

// customer is a customer with the allowed countries and regions written out, upper case.
type customer struct {
	vigil.Customer
	allowed []string
}

func newCustomer(c vigil.Customer) customer {
	out := customer{Customer: c}
	for _, r := range append([]string{c.Region}, c.Regions...) {
		if r == "" {
			continue
		}
		out.allowed = append(out.allowed, strings.ToUpper(r))
		out.allowed = append(out.allowed, regionOf[strings.ToLower(r)]...)
	}
	return out
}

// foreign says that the customer's data may not be at a place. What is not told is
// allowed.
func (c *customer) foreign(place string) bool {
	if place == "" || len(c.allowed) == 0 {
		return false
	}
	for _, a := range c.allowed {
		if strings.EqualFold(a, place) {
			return false
		}
	}
	return true
}
