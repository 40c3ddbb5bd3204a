package phrase

import (
	"strings"

	"vigil/internal/access"
)

// Role is a role in words, such as "privacy officer".
func Role(r access.Role) string { return strings.ReplaceAll(string(r), "_", " ") }
