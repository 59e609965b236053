"""What a hospital has used, by day: commands, events, bytes stored."""
