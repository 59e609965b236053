// Command interop is the other side of the project's transparency log and of its published stream: Go's own tlog and
// note packages, the tools of transparency-dev and the Kafka client franz-go, which know nothing of this project's code.
//
//	interop check DIR    verifies a log that the project wrote
//	interop make DIR     writes a log for the project to verify
//	interop witness DIR  answers the project's add-checkpoint requests
//	interop serve DIR    is that witness over HTTP, until it is killed
//	interop stream BROKER TOPIC ORIGIN  reads a topic of records that the project published, and checks it
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 4 && args[0] == "stream" {
		return checkStream(ctx, args[1], args[2], args[3])
	}
	if len(args) != 2 {
		return fmt.Errorf("usage: interop check|make|witness|serve DIR, interop stream BROKER TOPIC ORIGIN")
	}
	switch args[0] {
	case "check":
		return checkLog(ctx, args[1])
	case "make":
		return makeLog(args[1])
	case "witness":
		return answerRequests(ctx, args[1])
	case "serve":
		return serveWitness(ctx, args[1])
	}
	return fmt.Errorf("unknown command %q", args[0])
}
