"""Benchmarks: ratios taken in one run, baseline and product in turns; never a timed test."""
