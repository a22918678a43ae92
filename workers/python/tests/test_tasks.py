"""Tasks, Python to Python."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, cast

import numpy as np
import pytest
import remote_things as r
import thornback
from thornback import get

pytestmark = pytest.mark.usefixtures("session")


def test_results_in_order() -> None:
    assert get([r.echo.remote(i) for i in range(300)], timeout=30) == list(range(300))


def test_arguments_keywords_and_defaults() -> None:
    assert r.add.remote(1).get(timeout=20) == 111
    assert r.add.remote(1, 2, c=3).get(timeout=20) == 6
    assert r.add.remote(a=1, b=2).get(timeout=20) == 103


def test_the_function_stays_callable() -> None:
    assert r.add(1, c=0) == 11
    assert r.add.__name__ == "add"


def test_refs_as_arguments_stand_for_their_values() -> None:
    add: Any = r.add
    first = r.add.remote(1)
    second = add.remote(first, thornback.put(5), c=first)
    assert second.get(timeout=20) == 111 + 5 + 111


def test_refs_inside_values_stay_refs() -> None:
    ref = thornback.put([1, 2])
    (inner,) = r.echo.remote([ref]).get(timeout=20)
    assert isinstance(inner, thornback.ObjectRef)
    assert inner.id == ref.id
    assert inner.get(timeout=20) == [1, 2]


def test_large_arrays_are_shared_and_read_only() -> None:
    array = np.arange(1_000_000, dtype=np.float64)
    back = r.echo.remote(array).get(timeout=30)
    assert np.array_equal(array, back)
    assert not back.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        back[0] = 1
    ref = thornback.put(array)
    assert ref.get() is not ref.get()
    assert np.shares_memory(ref.get(), ref.get())


def test_views_outlive_their_refs() -> None:
    view = thornback.put(np.full(100_000, 7)).get()
    for i in range(20):
        thornback.put(np.full(100_000, i))
    assert (view == 7).all()


def test_strided_and_big_endian_arrays() -> None:
    grid = np.arange(60_000).reshape(200, 300)
    for array in (grid[:, ::3], grid.T, grid[::-1], grid.astype(">i4"), np.float32(1.5) * grid):
        assert np.array_equal(r.echo.remote(array).get(timeout=20), array)


def test_large_bytes() -> None:
    data = bytes(range(256)) * 10_000
    assert bytes(r.echo.remote(data).get(timeout=20)) == data


def test_python_only_objects() -> None:
    point = r.Point(1, np.arange(10_000))
    back = r.echo.remote({"p": point}).get(timeout=20)["p"]
    assert isinstance(back, r.Point)
    assert np.array_equal(back.y, point.y)
    double = r.echo.remote(lambda x: x * 2).get(timeout=20)
    assert double(4) == 8
    assert r.echo.remote(complex(1, 2)).get(timeout=20) == complex(1, 2)


def test_refs_inside_python_only_objects() -> None:
    ref = thornback.put("inside")
    back = r.echo.remote(r.Point(1, [ref])).get(timeout=20)
    assert back.y[0].get(timeout=20) == "inside"


def test_functions_without_an_importable_name() -> None:
    factor = 3

    @thornback.task
    def scaled(n: int) -> int:
        return n * factor

    assert scaled.remote(4).get(timeout=20) == 12
    anonymous = thornback.task(lambda n: n + factor)
    assert get([anonymous.remote(i) for i in range(3)], timeout=20) == [3, 4, 5]


@thornback.task
def fibonacci(n: int) -> int:
    return n if n < 2 else sum(get([fibonacci.remote(n - 1), fibonacci.remote(n - 2)], timeout=30))


def test_a_task_by_value_that_calls_itself() -> None:
    assert fibonacci.remote(5).get(timeout=50) == 5


def test_tasks_wait_for_their_children() -> None:
    assert get([r.total.remote([1, 2, 3]) for _ in range(4)], timeout=50) == [6] * 4
    assert r.depth.remote(5).get(timeout=50) == 5


def test_a_task_as_an_argument() -> None:
    @thornback.task
    def apply(function: Any, value: int) -> int:
        return function.remote(value).get(timeout=20)

    assert apply.remote(r.echo, 5).get(timeout=20) == 5


def test_streams() -> None:
    assert list(r.numbers.remote(1000)) == list(range(1000))
    stream = r.numbers.remote(10**9)
    assert [next(stream), next(stream)] == [0, 1]
    stream.close()
    assert list(stream) == []


def test_async_tasks() -> None:
    assert get([r.slowly.remote(i) for i in range(5)], timeout=30) == [1, 2, 3, 4, 5]


def test_options_keep_the_rest() -> None:
    assert r.add.options(cpu=0.5, timeout=30).options(cpu=1).remote(1).get(timeout=20) == 111
    for options in ({"cpu": -1}, {"cpu": "two"}, {"timeout": 0}, {"environment": {"pyhton": "x"}}):
        with pytest.raises(thornback.InvalidArgumentError, match=next(iter(options))):
            r.add.options(**cast("Any", options))
    with pytest.raises(TypeError, match="colour"):
        thornback.task(colour="red")  # pyright: ignore[reportCallIssue]


def test_wait_returns_in_order() -> None:
    slow = r.slowly.remote(1)
    quick = [thornback.put(i) for i in range(3)]
    ready, pending = thornback.wait([slow, *quick], 3, timeout=20)
    assert len(ready) == 3
    assert len(pending) == 1
    ready, pending = thornback.wait([slow, *quick], 4, timeout=20)
    assert ready == [slow, *quick]
    assert pending == []
    with pytest.raises(thornback.InvalidArgumentError):
        thornback.wait(quick, 4)
    with pytest.raises(thornback.InvalidArgumentError):
        thornback.wait([1], 1)  # pyright: ignore[reportArgumentType]


def test_get_from_many_threads() -> None:
    results: list[int] = []

    def ask(n: int) -> None:
        results.append(sum(get([r.echo.remote(n) for _ in range(50)], timeout=30)))

    threads = [threading.Thread(target=partial(ask, n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert sorted(results) == [50 * n for n in range(8)]


def test_futures() -> None:
    futures = [r.echo.remote(i).future() for i in range(20)]
    assert [future.result(timeout=20) for future in futures] == list(range(20))
    with pytest.raises(ValueError, match="in a future"):
        r.fail.remote("in a future").future().result(timeout=20)


def test_context() -> None:
    assert thornback.context().role == "driver"
    assert r.where.remote().get(timeout=20) == ("worker", None)
