"""The pure core: events, commands, state, and the decisions between them. Standard library only."""
