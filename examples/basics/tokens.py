from collections.abc import AsyncIterator, Iterator


class Model:
    def generate(self, prompt: str) -> Iterator[str]:
        """A generator: each item goes to the caller as soon as it is there."""
        for word in prompt.split():
            yield word.upper()

    async def countdown(self, start: int) -> AsyncIterator[int]:
        for number in range(start, 0, -1):
            yield number

    def forever(self) -> Iterator[int]:
        self.number = 0
        while True:
            yield self.number
            self.number += 1

    def produced(self) -> int:
        return self.number
