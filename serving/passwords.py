"""Passwords and tokens: argon2id for what people choose, SHA-256 for what the program draws at random."""

import hashlib
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """Return the argon2id hash to be kept."""
    return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether `password` is the one of which `kept` is the hash; as slow for an unknown user (None)."""
    try:
        return _HASHER.verify(kept or _nobodys_hash(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def new_token(n_bytes: int = 32) -> str:
    """Return a random token fit for a cookie or header."""
    return secrets.token_urlsafe(n_bytes)


def digest(token: str) -> str:
    """Return what is kept of a random token; it has enough randomness to need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def weakness(password: str, *, name: str, min_chars: int) -> str:
    """Return why `password` is too weak for the user `name` (Chinese), or nothing."""
    if len(password) < min_chars:
        return f"口令至少 {min_chars} 位。"
    if len(password) > 256:
        return "口令不得超过 256 位。"
    if len(set(password)) < 5:
        return "口令重复字符太多。"
    if name.lower() in password.lower():
        return "口令不得包含用户名。"
    return ""
