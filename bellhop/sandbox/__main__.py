"""`python -m bellhop.sandbox`: the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError

from bellhop.sandbox import authority, faults
from bellhop.sandbox.app import create_server
from bellhop.sandbox.providers import default_accounts, simulators
from bellhop.sandbox.settings import NoSecret, Process, Settings, secret

_EPILOG = """
environment:
  SANDBOX_HOST, SANDBOX_PORT, SANDBOX_DB   as the options
  SANDBOX_SECRET                           what its accounts are derived from; else BELLHOP_SECRET_KEY, that of the
                                           installation which sends here
  SANDBOX_ALLOWED_HOSTS                    names it may be called by, beside localhost and addresses: sandbox,…
{settings}

then:
  http://HOST:PORT/                        the messages, as their recipients see them
  http://HOST:PORT/docs                    the sandbox's own endpoints (/_sandbox/...)
  give a provider's official SDK that address as its API's, and it talks to the sandbox

faults (POST /_sandbox/faults {{"kind": ...}}):
{kinds}
"""


def _epilog() -> str:
    settings = "\n".join(
        f"  SANDBOX_{name.upper():<32} {row.description} ({row.default!r})"
        for name, row in Settings.model_fields.items()
    )
    kinds = "\n".join(f"  {kind:<20} {says}" for kind, says in faults.KINDS.items())
    return _EPILOG.format(settings=settings, kinds=kinds)


def main(arguments: list[str] | None = None) -> int:
    providers = " and ".join(simulator.label for simulator in simulators().values())
    parser = argparse.ArgumentParser(
        prog="python -m bellhop.sandbox",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"A stand-in for {providers}: speaks their real HTTP protocols, sends nothing to anybody.",
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8900; 0: any free one)")
    parser.add_argument("--db", type=Path, help="SQLite file to keep everything in; without it, in memory")
    parser.add_argument(
        "--accounts", action="store_true", help="print the accounts a sandbox with this secret knows, and end"
    )
    parser.add_argument(
        "--ca", action="store_true", help="print the certificate authority that vouches for its TLS (APNs), and end"
    )
    given = vars(parser.parse_args(arguments))
    try:
        derived_from = secret()
    except NoSecret as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    if given.pop("ca"):
        sys.stdout.write(authority.certificate(derived_from))
        return 0
    if given.pop("accounts"):
        for account in default_accounts(derived_from).values():
            sys.stdout.writelines(f"{name}={value}\n" for name, value in account.env.items())
        return 0
    try:
        process = Process(**{name: value for name, value in given.items() if value is not None})
        names = process.names()
        server = create_server(derived_from, process.host, process.port, process.db, Settings(), names)
    except ValidationError as error:
        for problem in error.errors():
            sys.stderr.write(f"SANDBOX_{str(problem['loc'][0]).upper()}: {problem['msg']}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"cannot listen on {process.host}:{process.port}: {error.strerror}\n")
        return 1
    where = f"[{server.host}]" if ":" in server.host else server.host
    sys.stdout.write(f"Sandbox on http://{where}:{server.port}\n")
    sys.stdout.flush()
    server.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
