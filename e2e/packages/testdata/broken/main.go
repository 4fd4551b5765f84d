// Command broken is a version of the application that doesn't work.
package main

import (
	"fmt"
	"os"
	"slices"
)

func main() {
	if slices.Contains(os.Args, "--help") {
		fmt.Print("Utilisation : parvis\n\nUne version qui ne marche pas.\n")
		return
	}
	os.Exit(1)
}
