"""Executes an approved destruction list, record by record."""
