// Package house holds the tests that keep the house in order: who may import
// whom, in which folder a foreign library lives, that the program needs no cgo,
// and what no file may contain. It has no code of its own and nobody imports it.
package house
