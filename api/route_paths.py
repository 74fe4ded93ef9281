"""Where the API is served: below a path of a proxy, whether that proxy cuts the path off or not.

A server that is told its root path (--root-path) puts it before each path by itself; a proxy that passes
requests on as they are leaves it there. Both come to the same: `root_path` in the scope, and the whole path with it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import Scope


def below(scope: Scope, base: str) -> str:
    """The root path of a request to an API whose public address has the path `base` ("" for none)."""
    root = str(scope.get("root_path", "")).rstrip("/")
    return root or (base if base and _within(scope["path"], base) else "")


def base_of(public_url: str) -> str:
    """The path of the API's public address, "" for none."""
    return urlsplit(public_url).path.rstrip("/")


def path_of(scope: Scope) -> str:
    """The path as routes know it."""
    return _after(scope["path"], scope.get("root_path", ""))


def raw_path_of(scope: Scope) -> str:
    """The same as it was written, escapes and all: what a provider has signed."""
    raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    return _after(raw, scope.get("root_path", ""))


def _after(path: str, root: str) -> str:
    return path[len(root) :] if root and _within(path, root) else path


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(root + "/")
