"""The log of one hospital as files: where each lies, how they grow, whether they hold together."""
