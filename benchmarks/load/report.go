package main

import (
	"sort"
	"time"
)

// A tally is one caller's own, so that counting needs no lock.
type tally struct {
	answered []time.Duration
	turned   []time.Duration
	statuses map[string]int
}

func newTally() *tally { return &tally{statuses: map[string]int{}} }

func (t *tally) add(status string, took time.Duration) {
	t.statuses[status]++
	if status == "OK" {
		t.answered = append(t.answered, took)
	}
}

func (t *tally) refused(took time.Duration) { t.turned = append(t.turned, took) }

type report struct {
	Seconds float64        `json:"seconds"`
	OK      int            `json:"ok"`
	Rate    float64        `json:"per_second"`
	Took    spread         `json:"ok_us"`
	Refused int            `json:"refused_and_sent_again"`
	Turned  spread         `json:"refused_us"`
	Status  map[string]int `json:"statuses"`
}

// Microseconds.
type spread struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func reportOf(tallies []*tally, elapsed time.Duration) report {
	statuses := map[string]int{}
	var answered, turned []time.Duration
	for _, each := range tallies {
		answered = append(answered, each.answered...)
		turned = append(turned, each.turned...)
		for status, count := range each.statuses {
			statuses[status] += count
		}
	}
	return report{
		Seconds: elapsed.Seconds(),
		OK:      len(answered),
		Rate:    float64(len(answered)) / elapsed.Seconds(),
		Took:    spreadOf(answered),
		Refused: len(turned),
		Turned:  spreadOf(turned),
		Status:  statuses,
	}
}

func spreadOf(took []time.Duration) spread {
	if len(took) == 0 {
		return spread{}
	}
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Nanoseconds()) / 1000
	}
	return spread{P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1)}
}
