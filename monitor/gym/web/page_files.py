"""Serves the page's files, and those of the machine's page that it uses. None of them is a secret."""

from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from monitor.display.site import files_in
from monitor.gym.web.problem import Refusal

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_routes() -> APIRouter:
    """Reads the files once; nothing else can be reached, whatever a path says."""
    found = dict(files_in(files("monitor.gym.web") / "page", "/page/"))
    found |= files_in(files("monitor.display") / "page", "/page/shared/")
    found["/"] = found["/page/index.html"]
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    @router.api_route("/page/{_:path}", methods=["GET", "HEAD"])
    async def show(request: Request) -> Response:
        file = found.get(request.url.path)
        if file is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "There is no such page.")
        headers = {"Cache-Control": "no-cache", "ETag": file.tag, "Content-Security-Policy": POLICY}
        if request.headers.get("If-None-Match") == file.tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(file.data, headers=headers, media_type=file.type)

    return router
