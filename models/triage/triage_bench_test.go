package triage

import (
	"testing"
)

// Training on 5,000 findings, with the scores of the unseen; with voices that are
// heard alike, and with one that must not outweigh the others.
func BenchmarkTrain(b *testing.B) {
	even := world(1, 5_000, "ann", "bob", "eve")
	loud := append(world(1, 2_000, "ann", "bob"), world(2, 3_000, "mallory")...)
	for name, examples := range map[string][]Example{"even": even, "loud": loud} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Train(b.Context(), examples); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
