// Package about tells what the program is built from.
package about

import (
	"slices"

	"modules.example/config/v3"
	"modules.example/flags"
	"modules.example/geo/v2"
	"modules.example/invoices"
	"modules.example/jobs"
	"modules.example/mail"
	"modules.example/metrics"
	"modules.example/objects"
	"modules.example/pages"
	"modules.example/problem"
	"modules.example/queue"
	"modules.example/rules"
	"modules.example/session"
	"modules.example/spelling"
	"modules.example/store"
	"modules.example/timezones"
	"modules.example/trace"
)

// Modules names every module once, with its version.
func Modules() []string {
	var names []string
	for _, versions := range []func() []string{
		config.Versions, flags.Versions, geo.Versions, invoices.Versions, jobs.Versions, mail.Versions,
		metrics.Versions, objects.Versions, pages.Versions, problem.Versions, queue.Versions, rules.Versions,
		session.Versions, spelling.Versions, store.Versions, timezones.Versions, trace.Versions,
	} {
		names = append(names, versions()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
