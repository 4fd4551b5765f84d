//go:build race

package escpos_test

// raced tells whether the race detector is at work.
const raced = true
