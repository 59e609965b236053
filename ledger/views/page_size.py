"""How many rows a page has: one rule for every list of the contract."""

from ledger.views.errors import BadPageSize

PAGE_ROWS_DEFAULT = 100
PAGE_ROWS_MAX = 1_000


def page_rows(asked: int, default: int = PAGE_ROWS_DEFAULT) -> int:
    """Rows of a page: 0 = the default, above the limit = the limit (AIP-158). Raises BadPageSize for less than 0."""
    if asked < 0:
        raise BadPageSize(asked)
    return min(asked or default, PAGE_ROWS_MAX)
