// Package report writes what the program prints.
package report

import (
	"slices"
	"strings"

	"modules.example/small/flags"
	"modules.example/small/records"
	"modules.example/small/tables"
)

// Text names the revision and the modules the program is built from.
func Text(revision string) string {
	lines := []string{flags.Title("go-sample " + revision)}
	if entry, found := tables.Lookup(1); found {
		lines = append(lines, entry.Name)
	}
	versions := slices.Concat(flags.Versions(), records.Versions(), tables.Versions())
	slices.Sort(versions)
	return strings.Join(append(lines, slices.Compact(versions)...), "\n") + "\n"
}
