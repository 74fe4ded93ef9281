"""Runs as a program: drops privileges, ties its life to the stack's supervisor, becomes the command it is given.

Started as a file (`python -I -S child.py …`), so that it costs a few milliseconds and runs before any thread exists;
the same work in `preexec_fn` could deadlock a supervisor that has threads.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def become(supervisor: int, death_signal: int, user: str, command: list[str]) -> None:
    """Replace this process by `command`. The kernel sends it `death_signal` when the supervisor dies, however."""
    # Loaded now: the other user may not be allowed to read our Python.
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if user:
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.environ.update(HOME="/", USER=user, LOGNAME=user)
        os.umask(0o077)
    if libc is not None:
        # After setuid, which clears it. It survives the exec below.
        libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != supervisor:  # died before we asked
            os._exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - what this program is for
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
