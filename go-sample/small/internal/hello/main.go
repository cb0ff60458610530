// Command hello prints the revision.
package main

import "example.com/go-sample/internal/version"

func main() {
	println(version.Revision)
}
