"""What the service says about itself: logs and the trace under way."""
