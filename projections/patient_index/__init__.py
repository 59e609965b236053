"""All episodes of one patient in order of time, over departments."""
