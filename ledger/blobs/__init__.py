"""Blobs: named bytes that outlive processes and power cuts, behind one contract with several adapters."""
