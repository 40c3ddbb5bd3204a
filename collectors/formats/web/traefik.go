package web

import "strings"

// IsTraefik tells what follows the agent in Traefik's common log: the number of the
// request, router and server in quotes, milliseconds.
func IsTraefik(rest string) bool {
	number, rest, _ := strings.Cut(rest, " ")
	return Digits(number) && strings.HasSuffix(rest, "ms") && len(rest) > 2 && rest[0] == '"' && rest[len(rest)-3] <= '9'
}
