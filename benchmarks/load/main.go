// Command load sends request bodies that were written beforehand, with so many in flight, and reports as JSON what
// came back. It makes no message and reads none, so that what it costs is the same whoever answers.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

type settings struct {
	protocol    string
	address     string
	rpc         string
	bodies      string
	connections int
	inFlight    int
	rate        float64
	seconds     float64
	callSeconds float64
	obey        bool
}

func main() {
	var asked settings
	flag.StringVar(&asked.protocol, "protocol", "grpc", "grpc, connect, or upload: every body on one client stream")
	flag.StringVar(&asked.address, "address", "", "host:port")
	flag.StringVar(&asked.rpc, "rpc", "", "service/method")
	flag.StringVar(&asked.bodies, "bodies", "", "file of bodies, each after its length in four bytes, big-endian")
	flag.IntVar(&asked.connections, "connections", 4, "connections that gRPC calls are spread over")
	flag.IntVar(&asked.inFlight, "in-flight", 1, "callers, each with one call at a time")
	flag.Float64Var(&asked.rate, "rate", 0, "calls a second that all callers begin together; 0 = each as soon as it may")
	flag.Float64Var(&asked.seconds, "seconds", 0, "when to begin no more calls; 0 = when every body was sent")
	flag.Float64Var(&asked.callSeconds, "call-seconds", 30, "how long one call may take")
	flag.BoolVar(&asked.obey, "obey", false, "send a refused body again after the time that RetryInfo names")
	flag.Parse()
	report, err := run(context.Background(), asked)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, asked settings) (report, error) {
	bodies, err := readBodies(asked.bodies)
	if err != nil {
		return report{}, err
	}
	if asked.protocol == "upload" {
		return upload(ctx, asked, bodies)
	}
	caller, err := callerOf(asked)
	if err != nil {
		return report{}, err
	}
	defer caller.close()
	if err := caller.warm(ctx); err != nil {
		return report{}, err
	}
	return drive(ctx, asked, caller, bodies), nil
}

func callerOf(asked settings) (caller, error) {
	switch asked.protocol {
	case "grpc":
		return newGrpcCaller(asked)
	case "connect":
		return newConnectCaller(asked), nil
	default:
		return nil, fmt.Errorf("unknown protocol %q", asked.protocol)
	}
}

// A caller makes one call and waits for its answer. It may be used by many at once.
type caller interface {
	// warm opens what the first calls would otherwise wait for.
	warm(ctx context.Context) error
	call(ctx context.Context, body []byte) answer
	close()
}

// An answer is a status by its canonical name, and how long to wait before the same body is sent again: 0 = it is not said.
type answer struct {
	status     string
	retryAfter time.Duration
}
