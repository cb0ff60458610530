// Package views renders the pages of the service.
package views

import (
	_ "embed"
	"io"

	"modules.example/pages"
)

//go:embed pages/layout.html
var layout string

//go:embed pages/invoices.html
var invoices string

//go:embed pages/about.html
var about string

// Views renders pages by name: `invoices` and `about`.
type Views struct{ pages *pages.Pages }

// New reads the pages the program carries.
func New() (*Views, error) {
	parsed, err := pages.Parse(layout, map[string]string{"invoices": invoices, "about": about})
	if err != nil {
		return nil, err
	}
	return &Views{pages: parsed}, nil
}

// Render writes a page.
func (v *Views) Render(w io.Writer, name string, data any) error {
	return v.pages.Render(w, name, data)
}
