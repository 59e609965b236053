"""The archive office: whole histories as files that anybody can read and check without this service."""
