package main

import (
	"context"
	"net"
	"net/http"
)

// serveWitness is the independent witness of newWitness over HTTP, until it is killed. It writes its address and key.
func serveWitness(ctx context.Context, dir string) error {
	handler, err := newWitness(ctx, dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/add-checkpoint", handler.AddCheckpoint)
	// Last: who waits for the address finds the key too.
	if err := write(dir, "address", []byte("http://"+listener.Addr().String())); err != nil {
		return err
	}
	return http.Serve(listener, mux)
}
