"""The keys of records: made, wrapped, kept apart from the events, destroyed, and used to seal and open bodies."""
