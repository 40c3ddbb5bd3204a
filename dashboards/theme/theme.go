// Package theme holds the style sheet that the console and the report share:
// colours for light and dark, type, and the look of findings and charts.
//
// It has no behaviour and is safe for concurrent use.
package theme

import _ "embed"

//go:embed theme.css
var css string

// CSS returns the style sheet. It refers to nothing outside of itself.
func CSS() string { return css }
