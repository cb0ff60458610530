// Command go-sample prints a small report, on standard error. It is the sample for tests: few bytes to carry and little
// to compile, which package os would make a third more.
package main

import (
	"example.com/go-sample/internal/report"
	"example.com/go-sample/internal/version"
)

func main() {
	print(report.Text(version.Revision))
}
