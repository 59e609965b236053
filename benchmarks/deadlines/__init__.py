"""What it costs to find what is due, by how much is open."""
