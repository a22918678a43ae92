"""The same calls under asyncio: refs are awaited, streams iterated with `async for`."""

import asyncio
from collections.abc import AsyncIterator

import thornback


@thornback.actor
class Ticker:
    """A class with async methods runs many calls at once, in one event loop."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def wait_for_start(self, name: str) -> str:
        await self.started.wait()
        return name

    async def start(self) -> None:
        self.started.set()

    async def ticks(self, count: int) -> AsyncIterator[int]:
        for tick in range(count):
            await asyncio.sleep(0)
            yield tick


async def main() -> None:
    ticker = Ticker.remote()
    waiting = [ticker.wait_for_start.remote(name) for name in ("a", "b")]
    await ticker.start.remote()
    print(await asyncio.gather(*waiting))  # ['a', 'b']
    print([tick async for tick in ticker.ticks.remote(3)])  # [0, 1, 2]


if __name__ == "__main__":
    with thornback.init():
        asyncio.run(main())
