package feature

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Middleware wraps a handler.
type Middleware func(http.Handler) http.Handler

// Mux joins routes with the middleware that applies to all of them.
type Mux struct {
	routes *http.ServeMux
	chain  []Middleware
}

// New returns an empty Mux.
func New(chain ...Middleware) *Mux {
	return &Mux{routes: http.NewServeMux(), chain: chain}
}

// Handle serves a pattern.
func (m *Mux) Handle(pattern string, handler http.HandlerFunc) {
	m.routes.Handle(pattern, handler)
}

// ServeHTTP implements http.Handler.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var handler http.Handler = m.routes
	for i := len(m.chain) - 1; i >= 0; i-- {
		handler = m.chain[i](handler)
	}
	handler.ServeHTTP(w, r)
}

// Timeout bounds the time of every request.
func Timeout(limit time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), limit)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// Recover turns a panic into a response.
func Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// JSON writes a value with the right header.
func JSON(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(value)
}

// Segments splits a path.
func Segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
