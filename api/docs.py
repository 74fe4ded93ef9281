"""The page `/docs`: Swagger UI, whose files come with us. A browser that reads it asks no other host for anything."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from api import security_headers

PAGE = "/docs"
ASSETS = "/docs/assets"

_PARAMETERS = {
    # Left out, some layouts have the description checked by validator.swagger.io.
    "validatorUrl": None,
    # The list of calls first; the shapes are beside each call.
    "defaultModelsExpandDepth": 0,
    "displayRequestDuration": True,
}


def serve(app: FastAPI) -> None:
    """Add the page, its files, and `/`, which leads to it. None of them is part of the API's description."""
    app.mount(ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]), name="docs assets")

    @app.get(PAGE, include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = _root(request)
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{ASSETS}/favicon.png",
            swagger_ui_parameters=_PARAMETERS,
        )
        page.headers["Content-Security-Policy"] = security_headers.of_page(bytes(page.body).decode())
        return page

    @app.get("/", include_in_schema=False)
    async def home(request: Request) -> Response:
        return RedirectResponse(f"{_root(request)}{PAGE}")


def _root(request: Request) -> str:
    # Where a proxy has put the API, if it serves it below a path.
    return str(request.scope.get("root_path", "")).rstrip("/")
