"""Where the CPU of a command goes, step by step."""
