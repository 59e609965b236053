"""Ports of the read side: what a view is, what it is given, and how its answers are asked for."""
