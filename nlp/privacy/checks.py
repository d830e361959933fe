"""The arithmetic that tells a number of a person from any other run of digits."""

from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK_DIGITS = "10X98765432"


def is_resident_id(digits: str) -> bool:
    """Tell whether 18 characters are a resident ID: a real birth date and the check digit of GB 11643."""
    if not has_birth_date(digits) or not digits[:17].isdigit():
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=False))
    return _ID_CHECK_DIGITS[total % 11] == digits[17].upper()


def has_birth_date(digits: str) -> bool:
    """Tell whether 18 characters hold a date of 1800 to 2099 where a resident ID has the birth date."""
    return len(digits) == 18 and digits[6:8] in {"18", "19", "20"} and _is_date(digits[6:14])


def is_disability_card(digits: str) -> bool:
    """Tell whether 20 characters are a disability certificate: a resident ID, the kind and the grade."""
    return len(digits) == 20 and has_birth_date(digits[:18]) and digits[18] in "1234567" and digits[19] in "1234"


def is_old_resident_id(digits: str) -> bool:
    """Tell whether 15 digits hold a date of the last century where the ID of before 1999 has the birth date."""
    return len(digits) == 15 and _is_date("19" + digits[6:12])


def is_bank_card(digits: str) -> bool:
    """Tell whether 15 to 19 digits pass the Luhn check (ISO/IEC 7812) or begin like a UnionPay card."""
    if not 15 <= len(digits) <= 19:
        return False
    return is_luhn(digits) or (digits.startswith("62") and len(digits) >= 16)


def is_luhn(digits: str) -> bool:
    """Tell whether the digits pass the Luhn check."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True
