"""Clients as integrators have them: generated from the API's description, in Python and in TypeScript.

By openapi-python-client, and by OpenAPI Generator (typescript-fetch), whose client Deno checks and runs. All of them
are wheels: nothing has to be on the machine."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI

HERE = Path(__file__).parent / "generated"
SCRIPTS = Path(sys.executable).parent
# Half the time of a Java program that runs for seconds.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
NO_PAGES = "apiDocs=false,modelDocs=false"


@dataclass(frozen=True, slots=True)
class Operation:
    """A call that has a body, as the API describes it."""

    name: str
    method: str
    path: str
    tag: str
    model: str
    """The schema of its body."""
    fields: dict[str, Any]
    """Its properties."""
    required: list[str]

    @property
    def parameter(self) -> str | None:
        """The one thing its path names."""
        found = re.search(r"{(\w+)}", self.path)
        return found[1] if found else None

    def place(self, id: str) -> str:
        """Its path, of one object."""
        return self.path.replace(f"{{{self.parameter}}}", id)


def operations(described: dict[str, Any]) -> dict[str, Operation]:
    """Every operation with a body of JSON, by its name."""
    return dict(_operations(described))


def _operations(described: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, ways in described["paths"].items():
        for method, operation in ways.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is None:
                continue
            name = operation["operationId"]
            model = body["schema"]["$ref"].rsplit("/", 1)[-1]
            schema = described["components"]["schemas"][model]
            fields, required = schema["properties"], schema.get("required", [])
            yield name, Operation(name, method, path, operation["tags"][0], model, fields, required)


class Client(Protocol):
    """A generated client, connected."""

    async def call(self, operation: Operation, id: str | None, fields: dict[str, Any]) -> None:
        """Make a call of that object, in whose body these fields are set and no others. Raises AssertionError."""

    async def has(self, tag: str, operation: str) -> bool:
        """Whether there is such a call among those of the tag."""


def _run(*command: str, cwd: Path, **env: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace(" ", "_").lower()


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


# --- Python -------------------------------------------------------------------------------------------------------


def generate_python(described: dict[str, Any], room: Path, name: str = "generated_client") -> None:
    """Generate the package of that name into `room`, and import it."""
    (room / "openapi.json").write_text(json.dumps(described))
    (room / "config.yml").write_text("post_hooks: []\n")  # nobody reads how it is formatted
    _run(
        str(SCRIPTS / "openapi-python-client"),
        *("generate", "--path", "openapi.json", "--meta", "none", "--output-path", name),
        *("--config", "config.yml", "--fail-on-warning"),
        cwd=room,
    )
    package = room / name / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, package, submodule_search_locations=[str(package.parent)])
    assert spec is not None and spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


@dataclass
class PythonClient:
    """What was generated into `generated_client`."""

    client: Any

    async def call(self, operation: Operation, id: str | None, fields: dict[str, Any]) -> None:
        models = importlib.import_module("generated_client.models")
        module = importlib.import_module(_module(operation.tag, operation.name))
        read = getattr(models, operation.model).from_dict(fields)
        # As a person writes it: only what is to be changed is named.
        names = [name if hasattr(read, name) else f"{name}_" for name in fields]
        body = getattr(models, operation.model)(**{name: getattr(read, name) for name in names})
        place = {operation.parameter: id} if operation.parameter else {}
        answer = await module.asyncio_detailed(client=self.client, body=body, **place)
        assert answer.status_code < 300, answer.content

    async def has(self, tag: str, operation: str) -> bool:
        return importlib.util.find_spec(_module(tag, operation)) is not None


def _module(tag: str, operation: str) -> str:
    return f"generated_client.api.{_snake(tag)}.{_snake(operation)}"


@asynccontextmanager
async def python_client(_: Path, url: str, key: str) -> AsyncIterator[Client]:
    """The Python client, connected."""
    made = importlib.import_module("generated_client").AuthenticatedClient(
        base_url=url, token=key, httpx_args={"trust_env": False}
    )
    async with made:
        yield PythonClient(made)


# --- TypeScript ---------------------------------------------------------------------------------------------------


def generate_typescript(described: dict[str, Any], room: Path) -> None:
    """Generate the module into `room`, beside the driver."""
    (room / "openapi.json").write_text(json.dumps(described))
    _run(
        str(SCRIPTS / "openapi-generator-cli"),
        *("generate", "-g", "typescript-fetch", "-i", "openapi.json", "-o", "client", "--global-property", NO_PAGES),
        cwd=room,
        JAVA_TOOL_OPTIONS=JAVA,
    )
    for file in HERE.iterdir():
        shutil.copy(file, room)


@dataclass
class TypeScriptClient:
    """The driver that runs in Deno."""

    process: asyncio.subprocess.Process

    async def call(self, operation: Operation, id: str | None, fields: dict[str, Any]) -> None:
        place = {_camel(operation.parameter): id} if operation.parameter else {}
        said = await self._ask(operation.tag, operation.name, place=place, model=operation.model, fields=fields)
        assert said == {}, said

    async def has(self, tag: str, operation: str) -> bool:
        return bool((await self._ask(tag, operation))["has"])

    async def _ask(self, tag: str, operation: str, **asked: Any) -> dict[str, Any]:
        words = [word[0].upper() + word[1:] for word in tag.split()]
        asked |= {"api": f"{''.join(words)}Api", "operation": operation}
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        said = await self.process.stdout.readline()
        assert said, "the driver has ended: see its standard error"
        return dict(json.loads(said))


@asynccontextmanager
async def typescript_client(room: Path, url: str, key: str) -> AsyncIterator[Client]:
    """The TypeScript client, its types checked, connected."""
    env = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    process = await asyncio.create_subprocess_exec(
        str(SCRIPTS / "deno"),
        *("run", "--check", "--no-remote", "--no-npm", "--allow-net=127.0.0.1", "driver.ts", url, key),
        cwd=room,
        env={**env, "DENO_DIR": str(room / "deno"), "DENO_NO_UPDATE_CHECK": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield TypeScriptClient(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The address of an application whose lifespan has begun, over HTTP."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not serving.done()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving
