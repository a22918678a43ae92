import os
import time


def parse(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise LookupError(f"{text} is not in the table") from error


def crash() -> None:
    os._exit(3)


def sleep(seconds: float) -> None:
    time.sleep(seconds)
