"""CSV cells that a spreadsheet program would run as formulas, made harmless, and made what they were again.

A cell that begins with one of the characters of OWASP's "CSV Injection" page gets a `'` before it. So does a cell
that begins with `'` and then such a character: the rule can therefore be undone without loss.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def neutralise(cell: str) -> str:
    """Return `cell` in a form that no spreadsheet program takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restore(cell: str) -> str:
    """Return what `neutralise` made `cell` from."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell
