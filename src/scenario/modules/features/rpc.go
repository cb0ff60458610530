package feature

import (
	"expvar"
	"net"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/rpc"
	"net/rpc/jsonrpc"
	"net/url"
)

// Serve answers calls on a connection with JSON.
func Serve(connection net.Conn, services ...any) error {
	server := rpc.NewServer()
	for _, service := range services {
		if err := server.Register(service); err != nil {
			return err
		}
	}
	server.ServeCodec(jsonrpc.NewServerCodec(connection))
	return nil
}

// Proxy forwards to another server.
func Proxy(target string) (*httputil.ReverseProxy, error) {
	parsed, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	return httputil.NewSingleHostReverseProxy(parsed), nil
}

// Jar keeps cookies between calls.
func Jar() (*cookiejar.Jar, error) { return cookiejar.New(nil) }

// Calls counts what was served, for /debug/vars.
var Calls = new(expvar.Int)
