//go:build race

package console_test

// raceDetector says that everything takes several times as long.
const raceDetector = true
