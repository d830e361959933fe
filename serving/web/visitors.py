"""Who looks at a page, and refusals as pages."""

from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from serving.access import identify
from serving.context import get_context
from serving.errors import Problem, problem_response
from serving.store.accounts import SignedIn
from serving.web.rendering import render

_MACHINE_PATHS = ("/v1/", "/static/", "/healthz", "/readyz", "/metrics", "/openapi.json")


async def visitor(request: Request) -> SignedIn:
    """Admit a signed-in person; raises 401, and 403 where a new password is due first."""
    found = await run_in_threadpool(_session, request)
    if found.must_change_password:
        raise Problem(403, code="password_change_required", detail="请先修改初始口令。")
    return found


async def newcomer(request: Request) -> SignedIn:
    """Admit a signed-in person, also one who must change the password first; raises 401."""
    return await run_in_threadpool(_session, request)


def _session(request: Request) -> SignedIn:
    caller = identify(request, get_context(request))
    if caller is None or caller.session is None:
        raise Problem(401, code="not_signed_in", detail="请先登录。")
    request.state.actor_id = caller.actor.id
    request.state.visitor = caller.session
    return caller.session


def respond(request: Request, problem: Problem) -> Response:
    """Return a refusal: problem+json for programs, a page or the way to sign in for people."""
    path = request.url.path
    wants_page = "text/html" in request.headers.get("accept", "")
    if path.startswith(_MACHINE_PATHS) or not wants_page:
        return problem_response(request, problem)
    if problem.code == "not_signed_in":
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/login?next={quote(path + query, safe='/')}", status_code=303)
    if problem.code == "password_change_required":
        return RedirectResponse("/password", status_code=303)
    known = getattr(request.state, "visitor", None)
    page = render(request, "error.html", visitor=known, status=problem.status, problem=problem.body)
    page.headers.update(problem.headers)
    return page
