"""Load, decide, save: commands become durable events here, and reads come from the write side."""
