"""`python -m bench.bare_worker ADDRESS`: the worker of the yardstick, sandboxed and with the SDK's defaults."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from bench.bare_workflow import TASK_QUEUE, Bare, work


async def main(address: str) -> None:
    """Run until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    client = await Client.connect(address)
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[Bare], activities=[work]):
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
    # The SDK's own threads may still run: nothing is left to tidy up that is worth waiting for.
    os._exit(0)
