"""Actors that are started again after their process has died."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import calling_things as c
import pytest
import remote_things as r
import thornback
from thornback import _native

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def phoenix() -> Iterator[Any]:
    with c.Phoenix.options(name="phoenix").remote() as handle:
        yield handle


def end(actor: Any) -> None:
    with pytest.raises(thornback.ActorUnavailableError):
        actor.exit.remote().get(timeout=20)


def test_an_actor_comes_back(phoenix: Any) -> None:
    assert phoenix.restarts.remote().get(timeout=20) == (0, False, "phoenix")
    pid = phoenix.pid.remote().get(timeout=20)
    end(phoenix)
    assert phoenix.restarts.remote().get(timeout=20) == (1, True, "phoenix")
    assert phoenix.now.remote().get(timeout=20) == 1
    assert phoenix.pid.remote().get(timeout=20) != pid


def test_restarts_are_limited() -> None:
    actor = c.Phoenix.options(max_restarts=1).remote()
    end(actor)
    assert actor.now.remote().get(timeout=20) == 1
    with pytest.raises((thornback.ActorDiedError, thornback.ActorUnavailableError)):
        actor.exit.remote().get(timeout=20)
    with pytest.raises(thornback.ActorDiedError):
        actor.now.remote().get(timeout=20)


def test_calls_that_ran_are_not_repeated(phoenix: Any) -> None:
    pid = phoenix.pid.remote().get(timeout=20)
    napping = phoenix.nap.remote(20)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(thornback.ActorUnavailableError):
        napping.get(timeout=20)
    assert phoenix.now.remote().get(timeout=20) == 1


def test_calls_with_retries_reach_the_next_incarnation(phoenix: Any, tmp_path: Path) -> None:
    method = phoenix.exit_at_first.options(retries=2)
    assert method.remote(str(tmp_path), 2).get(timeout=40) == 3
    assert phoenix.now.remote().get(timeout=20) == 2


def test_handles_that_travelled_know_that_it_comes_back(phoenix: Any) -> None:
    assert c.restarts_of.remote(phoenix).get(timeout=40) == 1
    sent = r.echo.remote(phoenix).get(timeout=20)
    end(sent)
    assert sent.now.remote().get(timeout=20) == 2


def test_handles_found_by_name_know_that_it_comes_back(phoenix: Any) -> None:
    phoenix.now.remote().get(timeout=20)
    found = thornback.get_actor("phoenix")
    end(found)
    assert found.now.remote().get(timeout=20) == 1


def test_handles_in_values(phoenix: Any) -> None:
    """The fifth member is there for those that come back only."""
    with r.Counter.remote() as plain:
        assert len(plain._thornback_reduce()[1]) == 4
    code, body = phoenix._thornback_reduce()
    assert (code, len(body), body[4]) == (6, 5, 1)
    blob = _native.encode(phoenix, "typescript", [])[0]
    again = _native.decode(blob, [], False)
    assert again == phoenix
    assert again._thornback_record.is_restartable


def test_context_outside_of_actors() -> None:
    here = thornback.context()
    assert (here.restart_count, here.was_restarted) == (0, False)
