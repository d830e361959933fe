"""Originals under lock: encrypted with Fernet, or not kept at all."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from serving.errors import Problem
from serving.settings import Settings


class Seal:
    """Encrypts and decrypts originals with the keys of the settings; keeps none where that is the setting."""

    def __init__(self, settings: Settings) -> None:
        """Take the keys; the first encrypts, all decrypt."""
        keys = [Fernet(key) for key in settings.original_keys]
        self._keep = settings.keep_original
        self._fernet = MultiFernet(keys) if keys else None

    def close(self, content: str) -> bytes | None:
        """Return `content` encrypted, or None where originals are not kept."""
        if not self._keep or self._fernet is None:
            return None
        return self._fernet.encrypt(content.encode())

    def open(self, sealed: bytes) -> str:
        """Return the original; raises the 409 problem where none of the keys fits."""
        if self._fernet is None:
            raise Problem(409, code="no_key", detail="没有配置原文密钥，无法解密。")
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise Problem(409, code="no_key", detail="配置的密钥解不开这份原文。") from error
