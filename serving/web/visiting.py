"""Who may open a page: a signed-in person whose role carries the permission of the page."""

from fastapi import Request

from serving.context import get_context
from serving.errors import Problem
from serving.roles import Permission
from serving.store.accounts import SignedIn
from serving.web.visitors import visitor


class Visiting:
    """A dependency that admits a person with `permission` and hands over the session; raises 401, 403 and 429."""

    def __init__(self, permission: Permission) -> None:
        """Admit `permission`."""
        self.permission = permission

    async def __call__(self, request: Request) -> SignedIn:
        """Return the session of who visits, if they may."""
        found = await visitor(request)
        get_context(request).rates.request(found.actor.id)
        if not found.actor.may(self.permission):
            raise Problem(403, code="forbidden", detail="您的角色不能打开这一页。")
        return found
