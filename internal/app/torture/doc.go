// Package torture kills the whole program while all ways in bring records, and counts.
package torture
