// Package server answers HTTP requests about a ledger.
package server

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"modules.example/log"
	"modules.example/metrics"
	"modules.example/problem"
	"modules.example/router"
	"modules.example/session"

	"example.com/go-sample/internal/about"
	"example.com/go-sample/internal/ledger"
	"example.com/go-sample/internal/version"
	"example.com/go-sample/internal/views"
)

// Server holds what the handlers share.
type Server struct {
	ledger  *ledger.Ledger
	views   *views.Views
	logger  *slog.Logger
	counter *log.Counter
}

// New returns the handler of the whole service.
func New(l *ledger.Ledger, logger *slog.Logger, counter *log.Counter) (http.Handler, error) {
	rendered, err := views.New()
	if err != nil {
		return nil, err
	}
	s := &Server{ledger: l, views: rendered, logger: logger, counter: counter}
	mux := router.New(router.Recover, router.Timeout(5*time.Second), s.count)
	mux.Handle("GET /{$}", s.invoicesPage)
	mux.Handle("GET /about", s.aboutPage)
	mux.Handle("GET /api/invoices", s.list)
	mux.Handle("POST /api/invoices", s.add)
	mux.Handle("GET /api/total", s.total)
	mux.Handle("GET /api/archive", s.archive)
	mux.Handle("GET /api/health", s.health)
	return mux, nil
}

func (s *Server) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		metrics.Calls.Add(1)
		s.logger.Info("request", "method", r.Method, "path", router.Segments(r.URL.Path))
		next.ServeHTTP(w, r)
	})
}

func (s *Server) invoicesPage(w http.ResponseWriter, r *http.Request) {
	s.answer(w, s.views.Render(w, "invoices", s.ledger.Find(r.FormValue("customer"))))
}

func (s *Server) aboutPage(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, s.views.Render(w, "about", map[string]any{"Revision": version.Revision, "Modules": about.Modules()}))
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.answer(w, router.JSON(w, http.StatusOK, s.ledger.Find(r.FormValue("customer"))))
}

func (s *Server) add(w http.ResponseWriter, r *http.Request) {
	var invoice ledger.Invoice
	if err := json.NewDecoder(r.Body).Decode(&invoice); err != nil {
		s.refuse(w, http.StatusBadRequest, err)
		return
	}
	s.answer(w, router.JSON(w, http.StatusCreated, s.ledger.Add(invoice)))
}

func (s *Server) total(w http.ResponseWriter, r *http.Request) {
	total, err := s.ledger.Total(r.FormValue("percent"))
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err)
		return
	}
	s.answer(w, router.JSON(w, http.StatusOK, map[string]string{"total": total}))
}

func (s *Server) archive(w http.ResponseWriter, _ *http.Request) {
	data, err := s.ledger.Archive()
	if err != nil {
		s.refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("ETag", problem.Opaque(session.MAC([]byte(version.Revision), data)))
	_, err = w.Write(data)
	s.answer(w, err)
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	warnings, errors := s.counter.Totals()
	s.answer(w, router.JSON(w, http.StatusOK, map[string]any{
		"revision": version.Revision, "requests": metrics.Calls.Value(), "warnings": warnings, "errors": errors,
	}))
}

// refuse says no in the form of the API.
func (s *Server) refuse(w http.ResponseWriter, status int, reason error) {
	s.answer(w, router.JSON(w, status, map[string]string{"problem": reason.Error()}))
}

// answer logs what went wrong while the answer was under way.
func (s *Server) answer(_ http.ResponseWriter, err error) {
	if err != nil {
		s.logger.Error("answer", "error", err)
	}
}
