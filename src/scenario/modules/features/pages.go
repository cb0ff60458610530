package feature

import (
	"html/template"
	"io"
	"strings"
	texttemplate "text/template"
)

// Pages renders pages that share a layout.
type Pages struct{ set *template.Template }

// Parse reads the layout and its pages.
func Parse(layout string, pages map[string]string) (*Pages, error) {
	set, err := template.New("layout").Funcs(template.FuncMap{"upper": strings.ToUpper}).Parse(layout)
	if err != nil {
		return nil, err
	}
	for name, text := range pages {
		if _, err := set.New(name).Parse(text); err != nil {
			return nil, err
		}
	}
	return &Pages{set: set}, nil
}

// Render writes one page.
func (p *Pages) Render(w io.Writer, name string, data any) error {
	return p.set.ExecuteTemplate(w, name, data)
}

// Mail renders plain text.
func Mail(text string, data any) (string, error) {
	parsed, err := texttemplate.New("mail").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, data)
	return out.String(), err
}
