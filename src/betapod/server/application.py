"""The application of the server: the page, the routes, and every error as a problem document."""

from __future__ import annotations

import functools
import gzip
import re
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..base.errors import BetapodError, Location, OutputError, Problem
from ..explorer.explorer_kept import kept_page, kept_part, page_policy
from ..explorer.explorer_parts import LATER, PARTS_PREFIX
from .api_routes import api_routes
from .calculators import Calculators
from .problem_answers import Refusal
from .problem_facts import as_facts
from .request_guard import PREFIX, Access, RequestGuard
from .tagged_answers import TaggedAnswers
from .trial_runs import TrialRuns
from .wrong_bodies import wrong_body_problems


def server_application(access: Access, calculators: Calculators, runs: TrialRuns) -> RequestGuard:
    """Return the application.

    Parameters
    ----------
    access
        Who may ask.
    calculators, runs
        That answer; who makes them closes them.
    """
    from .. import __version__

    application = FastAPI(
        title="betapod",
        version=__version__,
        description="In-silico clinical trials of cell therapy in diabetes and diabetic kidney disease. No medical device.",
        openapi_url=f"{PREFIX}/openapi.json",
        # Pages of others, which would be loaded from a network.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    application.include_router(api_routes(calculators, runs))
    _add_page(application)
    for kind, handler in _HANDLERS.items():
        application.add_exception_handler(kind, handler)
    return RequestGuard(TaggedAnswers(application), access)


@functools.cache
def _page_policy() -> str:
    """Return what a browser may load for the page."""
    return page_policy(gzip.decompress(kept_page(server=True, served=True)).decode())


def _add_page(application: FastAPI) -> None:
    def explorer() -> Response:
        headers = {"Content-Encoding": "gzip", "Content-Security-Policy": _page_policy()}
        page = kept_page(server=True, served=True)
        return Response(page, headers=headers, media_type="text/html; charset=utf-8")

    def part(name: str) -> Response:
        if name not in LATER:
            raise HTTPException(404)
        return Response(kept_part(name), headers={"Content-Encoding": "gzip"}, media_type="application/octet-stream")

    for path, answer in (("/", explorer), (PARTS_PREFIX + "{name}", part)):
        application.add_api_route(path, answer, methods=["GET"], include_in_schema=False)
        application.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)


async def _refused(request: Request, error: Any) -> Response:
    refusal: Refusal = error
    return refusal.response()


async def _wrong_body(request: Request, error: Any) -> Response:
    endpoint = request.scope.get("endpoint")
    problems = wrong_body_problems(error.errors(), endpoint)
    return Refusal(422, [as_facts(problem) for problem in problems]).response()


async def _wrong_input(request: Request, error: Any) -> Response:
    status = 507 if isinstance(error, OutputError) else 422
    return Refusal(status, [as_facts(problem) for problem in error.problems]).response()


async def _not_there(request: Request, error: Any) -> Response:
    if error.status_code == 400:
        # Nothing but a body that cannot be read gets here.
        return Refusal(422, Problem("bad-json", "the request is no JSON in UTF-8", Location("body"))).response()
    words = {
        404: ("unknown-address", "there is nothing at this address"),
        405: ("wrong-method", "this address is not asked so"),
    }
    kind, message = words.get(error.status_code, ("bad-request", "this request cannot be carried out"))
    hint = f"GET {PREFIX}/openapi.json describes every address."
    problem = Problem(kind, message, found=f"{request.method} {request.url.path}", hint=hint)
    headers = {"Allow": ", ".join(_ways(request))} if error.status_code == 405 else error.headers
    return Refusal(error.status_code, problem, headers).response()


def _ways(request: Request) -> list[str]:
    """Return how an address may be asked, as the description of the interface has it."""
    for path, ways in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), request.url.path):
            return sorted(way.upper() for way in ways)
    path = request.url.path
    return ["GET", "HEAD"] if path == "/" or path.startswith(PARTS_PREFIX) else ["GET"]


async def _unforeseen(request: Request, error: Any) -> Response:
    print(f"betapod serve: {request.method} {request.url.path}", file=sys.stderr)
    traceback.print_exception(error)
    problem = Problem("internal-error", "an error of the program; the server's own output says more")
    return Refusal(500, problem).response()


_HANDLERS: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
    Refusal: _refused,
    RequestValidationError: _wrong_body,
    BetapodError: _wrong_input,
    HTTPException: _not_there,
    Exception: _unforeseen,
}
