"""A discrete-event model of the write path, fed with measured service times, held against what is measured."""
