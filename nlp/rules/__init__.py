"""Must-review rules: find in a petition what only a person may decide, by declarative signals."""

from nlp.rules.engine import find_firings

__all__ = ["find_firings"]
