"""Which versions of a hospital's schema this release serves.

Every role reads the registry and leaves a hospital of another version alone, by name; the others are served.
"""

SCHEMA_VERSIONS = range(3, 9)
"""From the oldest version that has all this release needs, up to the newest that still has it. A step that expands a
schema is taken in here one release before a release brings it, so that servers of both releases serve meanwhile."""
