"""What the database that every test database is copied from holds."""


def prepare_template(superuser_url: str) -> None:
    """Bring the empty template database to the product's newest version; roles belong to the whole server."""
    del superuser_url
