package feature

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
)

// Counter counts the records that pass, by level.
type Counter struct {
	slog.Handler
	warnings, errors *atomic.Int64
}

// NewLogger returns a logger that writes JSON and counts what it writes.
func NewLogger(w io.Writer) (*slog.Logger, *Counter) {
	counter := &Counter{Handler: slog.NewJSONHandler(w, nil), warnings: new(atomic.Int64), errors: new(atomic.Int64)}
	return slog.New(counter), counter
}

// Handle implements slog.Handler.
func (c *Counter) Handle(ctx context.Context, record slog.Record) error {
	switch {
	case record.Level >= slog.LevelError:
		c.errors.Add(1)
	case record.Level >= slog.LevelWarn:
		c.warnings.Add(1)
	}
	return c.Handler.Handle(ctx, record)
}

// Totals returns how many warnings and errors there were.
func (c *Counter) Totals() (warnings, errors int64) { return c.warnings.Load(), c.errors.Load() }
