// Package version tells which revision of the program this is.
package version

// Revision changes with every commit.
const Revision = "run-1"
