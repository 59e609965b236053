package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const refused = "RESOURCE_EXHAUSTED"

// drive has every caller take the next body until there is none, or the time is over.
func drive(ctx context.Context, asked settings, caller caller, bodies [][]byte) report {
	var next atomic.Int64
	tallies := make([]*tally, asked.inFlight)
	began := time.Now()
	var running sync.WaitGroup
	for index := range tallies {
		tallies[index] = newTally()
		running.Go(func() {
			for {
				at := int(next.Add(1)) - 1
				if at >= len(bodies) || over(asked, began) {
					return
				}
				one(ctx, asked, caller, bodies[at], due(asked, began, at), tallies[index])
			}
		})
	}
	running.Wait()
	return reportOf(tallies, time.Since(began))
}

func over(asked settings, began time.Time) bool {
	return asked.seconds > 0 && time.Since(began).Seconds() >= asked.seconds
}

// due is when a call has to begin. With a rate the clock runs from then, also where no caller was free: what waits
// before it is sent has been waiting.
func due(asked settings, began time.Time, at int) time.Time {
	if asked.rate <= 0 {
		return time.Now()
	}
	planned := began.Add(time.Duration(float64(at) / asked.rate * float64(time.Second)))
	time.Sleep(time.Until(planned))
	return planned
}

// one sends a body, again where it was refused and that is to be obeyed. What is told to wait longer than the whole
// run may take is given up, and counted by its last status.
func one(ctx context.Context, asked settings, caller caller, body []byte, due time.Time, tally *tally) {
	limited, cancel := context.WithTimeout(ctx, time.Duration(asked.callSeconds*float64(time.Second)))
	defer cancel()
	for {
		sent := time.Now()
		got := caller.call(limited, body)
		if got.status != refused || !asked.obey || got.retryAfter <= 0 {
			tally.add(got.status, time.Since(due))
			return
		}
		tally.refused(time.Since(sent))
		select {
		case <-time.After(got.retryAfter):
		case <-limited.Done():
			tally.add("GIVEN_UP", time.Since(due))
			return
		}
	}
}
