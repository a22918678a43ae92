"""Answers lines of JSON on a unix socket: python peer.py <path>. It uses no engine at all."""

import asyncio
import json
import sys


class Echo(asyncio.Protocol):
    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        replies: list[str] = []
        for line in lines:
            request = json.loads(line)
            replies.append(json.dumps({"id": request["id"], "result": request["args"][0]}))
        if replies:
            self._transport.write(("\n".join(replies) + "\n").encode())

    def connection_lost(self, exc: Exception | None) -> None:
        asyncio.get_running_loop().stop()


async def listen(path: str) -> None:
    await asyncio.get_running_loop().create_unix_server(Echo, path)
    sys.stdout.write("ready\n")
    sys.stdout.flush()


loop = asyncio.new_event_loop()
loop.run_until_complete(listen(sys.argv[1]))
loop.run_forever()
