package app

import "strings"

const (
	// maxDiffed bounds the lines of each of two texts that are compared line by line: beyond
	// it the one goes and the other comes.
	maxDiffed = 2_000
	// aroundDiffed is how many lines are shown around those that differ.
	aroundDiffed = 3
)

// differingLines compares two texts by their longest common subsequence of lines, as in
// api.RuleDifference.
func differingLines(before, after string) []string {
	a, b := linesOf(before), linesOf(after)
	var head, tail []string
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head, a, b = append(head, " "+a[0]), a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append([]string{" " + a[len(a)-1]}, tail...)
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return shortened(append(append(head, middle(a, b)...), tail...))
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// middle compares lines of which neither the first nor the last are the same.
func middle(a, b []string) (out []string) {
	if len(a) > maxDiffed || len(b) > maxDiffed {
		a, b = a[:min(len(a), maxDiffed)], b[:min(len(b), maxDiffed)]
		for _, s := range a {
			out = append(out, "-"+s)
		}
		for _, s := range b {
			out = append(out, "+"+s)
		}
		return out
	}
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, " "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "-"+a[i])
			i++
		default:
			out = append(out, "+"+b[j])
			j++
		}
	}
	return out
}

// shortened leaves out the lines that are far from any that differs.
func shortened(lines []string) (out []string) {
	near := make([]bool, len(lines))
	for i, s := range lines {
		if s[0] == ' ' {
			continue
		}
		for k := max(0, i-aroundDiffed); k <= min(len(lines)-1, i+aroundDiffed); k++ {
			near[k] = true
		}
	}
	for i, s := range lines {
		switch {
		case near[i]:
			out = append(out, s)
		case i == 0 || near[i-1]:
			out = append(out, "…")
		}
	}
	return out
}
