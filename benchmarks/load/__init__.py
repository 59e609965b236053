"""The load generator: a Go program, so that making load costs little, and the same for baseline and product."""
