"""The program that runs the same cases on Ray. It needs no Thornback."""

from __future__ import annotations

from measuring import serve
from ray_calls import RayCalls
from ray_objects import RayObjects
from ray_session import RaySession


def main() -> None:
    session = RaySession()
    parts = [RayCalls(session), RayObjects(session)]
    serve({name: action for part in parts for name, action in part.actions().items()})
    session.close()


if __name__ == "__main__":
    main()
