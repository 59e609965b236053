"""The views: how fast they are kept, built anew and asked, and what those who wait for them cost."""
