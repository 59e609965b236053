"""A certified copy of a record on paper: the entries of its scope, as HTML or as PDF."""
