package view

import "regexp"

// dayTime is a day and a time as sentences have them.
var dayTime = regexp.MustCompile(`\b(\d{1,2}) ([A-Z][a-z]{2}) (\d\d:\d\d)\b`)

// unbroken keeps a day and its time on one line, by spaces that do not break.
func unbroken(s string) string { return dayTime.ReplaceAllString(s, "${1}\u00a0${2}\u00a0${3}") }
