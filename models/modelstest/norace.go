//go:build !race

package modelstest

const raced = false
