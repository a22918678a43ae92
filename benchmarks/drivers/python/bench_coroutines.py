"""An actor with methods that are coroutines."""

from __future__ import annotations

import asyncio
from typing import Any


class Coroutine:
    async def echo(self, value: Any) -> Any:
        return value

    async def suspend(self, value: Any) -> Any:
        await asyncio.sleep(0)
        return value
