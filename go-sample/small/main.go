// Command go-sample prints a small report. It is the sample for tests: little to compile, few bytes to carry.
package main

import (
	"os"

	"example.com/go-sample/internal/report"
	"example.com/go-sample/internal/version"
)

func main() {
	if _, err := os.Stdout.WriteString(report.Text(version.Revision)); err != nil {
		os.Exit(1)
	}
}
