// Command go-sample serves a small invoice ledger over HTTP.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"modules.example/certs"
	"modules.example/flags"
	"modules.example/log"

	"example.com/go-sample/internal/ledger"
	"example.com/go-sample/internal/server"
	"example.com/go-sample/internal/version"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "go-sample:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 1 && args[0] == "version" {
		fmt.Println(flags.Title("go-sample"), version.Revision)
		return nil
	}
	logger, counter := log.NewLogger(os.Stderr)
	handler, err := server.New(ledger.Example(), logger, counter)
	if err != nil {
		return err
	}
	httpServer := http.Server{Addr: ":8080", Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	if len(args) == 1 && args[0] == "tls" {
		certificate, err := certs.SelfSigned("localhost", time.Now())
		if err != nil {
			return err
		}
		httpServer.TLSConfig = certs.Modern(certificate)
		return httpServer.ListenAndServeTLS("", "")
	}
	return httpServer.ListenAndServe()
}
