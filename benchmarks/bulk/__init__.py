"""Bulk load over one client stream beside a binary COPY of the same rows."""
