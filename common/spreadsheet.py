"""Cells of CSV files that a spreadsheet opens."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Return a text that a spreadsheet cannot take for a formula."""
    return f"'{text}" if text[:1] in _FORMULA_STARTS else text
