"""Counts as citizens write them: the smallest number a phrase such as 三百多 or 十几 can mean."""

import re

_NUMBER = re.compile(r"(\d[\d,]*(?:\.\d+)?)(万)?|([零一二两三四五六七八九十百千万几数上近]+)")
_DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
_NO_COUNT = 10**12
"""From here on a number counts nothing: long runs of digits are numbers of accounts and cards, or noise."""


def smallest_count(phrase: str) -> int:
    """Return the smallest number of people that `phrase` can mean; 0 if it holds no number or one that counts nothing.

    几 and 数 count as 2 before a unit (几十 is at least twenty) and as 3 alone; 上 and 近 add nothing.
    """
    match = _NUMBER.search(phrase)
    count = _value(match) if match else 0
    return int(count) if count < _NO_COUNT else 0


def _value(match: re.Match[str]) -> float:
    """Read one number, in digits or in Chinese numerals."""
    digits, ten_thousands, numerals = match.groups()
    if digits:
        return float(digits.replace(",", "")) * (10_000 if ten_thousands else 1)
    return _numerals(numerals)


def _numerals(numerals: str) -> int:
    """Read Chinese numerals; 七八十 is read as 70, 三五 as 3."""
    total = section = 0
    digit: int | None = None
    for position, numeral in enumerate(numerals):
        if numeral in _UNITS:
            unit = _UNITS[numeral]
            if unit == 10_000:
                total, section = (total + section + (digit or 0)) * unit or unit, 0
                if total >= _NO_COUNT:
                    break
            else:
                section += (digit if digit is not None else 1) * unit
            digit = None
        elif numeral in "几数":
            followed_by_unit = position + 1 < len(numerals) and numerals[position + 1] in _UNITS
            digit = (2 if followed_by_unit else 3) if section == 0 else 1
        elif numeral in _DIGITS and digit is None:
            digit = _DIGITS[numeral]
    return total + section + (digit or 0)
