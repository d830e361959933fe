"""How often somebody may ask: a moving window in the memory of this process."""

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from serving.errors import Problem
from serving.settings import Settings


class Rates:
    """The limits of one server process."""

    def __init__(self, settings: Settings) -> None:
        """Read the limits from the settings."""
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._requests = parse(settings.rate_limit)
        self._logins = parse(settings.login_rate_limit)

    def request(self, who: str) -> None:
        """Count a request of `who`; raises the 429 problem beyond the limit."""
        self._hit(self._requests, "request", who)

    def login(self, address: str) -> None:
        """Count a login attempt from `address`; raises the 429 problem beyond the limit."""
        self._hit(self._logins, "login", address)

    def _hit(self, item: RateLimitItem, kind: str, who: str) -> None:
        if self._limiter.hit(item, kind, who):
            return
        reset_at, _ = self._limiter.get_window_stats(item, kind, who)
        seconds = max(1, math.ceil(reset_at - time.time()))
        raise Problem(
            429,
            code="rate_limited",
            detail=f"请求过于频繁，请在 {seconds} 秒后重试。",
            headers={"Retry-After": str(seconds)},
        )
