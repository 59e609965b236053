"""Keys: of records, kept apart from the events and used to seal and open bodies; and of notes, in files."""
