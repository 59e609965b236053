"""Ten times as many callers as the service works fastest with: refused quickly, nothing lost, the rate kept."""
