"""Errors as the caller sees them."""

from __future__ import annotations

import pickle
import threading
import traceback
from typing import Any, cast

import pytest
import remote_things as r
import thornback
from thornback import RemoteError, RemoteException

pytestmark = pytest.mark.usefixtures("session")


def caught(ref: Any) -> Any:
    with pytest.raises(Exception) as info:
        ref.get(timeout=20)
    return cast("Any", info.value)


def cause_of(error: BaseException) -> Any:
    return error.__cause__


def test_an_exception_has_both_classes_and_both_stacks() -> None:
    error = caught(r.fail.remote("bad"))
    assert isinstance(error, RemoteError)
    assert isinstance(error, ValueError)
    assert str(error) == "ValueError: bad"
    assert error.code == "REMOTE_ERROR"
    assert error.args == ("bad",)
    origin = error.__cause__
    assert isinstance(origin, RemoteException)
    assert origin.name == "ValueError"
    assert origin.language == "python"
    assert "in fail" in (error.remote_stack or "")
    assert "thornback/_worker" not in (error.remote_stack or "")
    inner = origin.__cause__
    assert isinstance(inner, RemoteException)
    assert inner.name == "KeyError"
    text = "".join(traceback.format_exception(error))
    assert "remote_things.py" in text
    assert "test_errors.py" in text
    assert "KeyError: 'missing'" in text


def test_custom_exceptions_keep_their_attributes() -> None:
    error = caught(r.fail_custom.remote())
    assert isinstance(error, r.CustomError)
    assert isinstance(error, RemoteError)
    assert (error.code, error.text) == (7, "custom")
    assert cause_of(error).name == "remote_things.CustomError"


def test_errors_can_be_passed_on() -> None:
    error = caught(r.fail.remote("bad"))
    back = r.echo.remote([error]).get(timeout=20)[0]
    assert str(back) == str(error)
    assert isinstance(back, ValueError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    local = r.echo.remote(KeyError("k")).get(timeout=20)
    assert isinstance(local, KeyError)


def test_errors_of_nested_calls() -> None:
    @thornback.task
    def outer() -> None:
        r.fail.remote("inner").get(timeout=20)

    error = caught(outer.remote())
    assert isinstance(error, RemoteError)
    assert cause_of(error).name == "RemoteError"
    assert "inner" in "".join(traceback.format_exception(error))


def test_arguments_that_do_not_fit_the_function() -> None:
    echo: Any = r.echo
    error = caught(echo.remote())
    assert isinstance(error, thornback.TypeMismatchError)
    assert str(error) == "echo(value): missing a required argument: 'value'"
    error = caught(echo.remote(1, colour=2))
    assert isinstance(error, thornback.TypeMismatchError)
    assert "unexpected keyword argument 'colour'" in str(error)
    add: Any = r.add
    assert "add(a, b=10, *, c=100): too many positional" in str(caught(add.remote(1, 2, 3)))
    assert r.echo.remote(1).get(timeout=20) == 1


def test_arguments_that_do_not_fit_methods_and_constructors() -> None:
    handle: Any = r.Counter.remote()
    error = caught(handle.add.remote())
    assert isinstance(error, thornback.TypeMismatchError)
    assert str(error) == "Counter.add(k): missing a required argument: 'k'"
    thornback.kill(handle)
    error = caught(thornback.python.actor("remote_things:Counter").remote(1, 2, 3).add.remote(1))
    assert isinstance(error, thornback.ActorCreationError)
    assert "Counter(start=0, *, step=1): too many positional" in f"{error} {error.__cause__}"


def test_a_type_error_from_inside_is_no_mismatch() -> None:
    add: Any = r.add
    for ref in (add.remote("text"), thornback.python.task("math:sqrt").remote("text")):
        error = caught(ref)
        assert isinstance(error, TypeError)
        assert isinstance(error, RemoteError)


def test_missing_functions_name_what_exists() -> None:
    error = caught(thornback.python.task("remote_things:ecko").remote())
    assert isinstance(error, thornback.NotFoundError)
    assert "did you mean echo?" in str(error)
    error = caught(thornback.python.task("no_such_module:f").remote())
    assert isinstance(error, thornback.NotFoundError)
    assert "no_such_module" in str(error)


def test_import_errors_have_the_full_traceback(tmp_path: Any) -> None:
    error = caught(thornback.python.task("broken_import:f").remote())
    assert isinstance(error, thornback.ImportFailedError)
    cause = error.__cause__
    assert isinstance(cause, RemoteException)
    assert cause.name == "ZeroDivisionError"
    assert "broken_import.py" in (cause.stack or "")


def test_results_that_cannot_be_sent() -> None:
    error = caught(r.unserialisable.remote())
    assert isinstance(error, thornback.SerializationError)
    assert "result['a'][1]['lock']" in str(error)
    assert r.echo.remote(1).get(timeout=20) == 1


def test_arguments_that_cannot_be_sent() -> None:
    class Holder:
        def __init__(self) -> None:
            self.y = threading.Lock()

    with pytest.raises(thornback.SerializationError, match=r"args\[0\]\['x'\]\.y cannot be sent"):
        r.echo.remote({"x": Holder()})
    with pytest.raises(thornback.SerializationError, match=r"kwargs\['value'\]"):
        r.echo.remote(value=threading.Lock())
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(thornback.SerializationError, match="contains itself"):
        r.echo.remote(deep)


def test_other_languages_refuse_python_objects_at_the_call() -> None:
    web = thornback.typescript.task("./web.ts:render")
    for value, text in [
        ({"x": r.Point(1, 2)}, r"args\[0\]\['x'\] .*dataclasses.asdict"),
        ([complex(1, 2)], r"args\[0\]\[0\] .*Python only"),
        (len, r"args\[0\]"),
    ]:
        with pytest.raises(thornback.SerializationError, match=text):
            web.remote(value)


@pytest.mark.parametrize("how", ["exit", "segfault", "signal"])
def test_tasks_whose_worker_dies(how: str) -> None:
    error = caught(r.leave.remote(how))
    assert isinstance(error, thornback.WorkerDiedError)
    assert error.retryable
    assert r.echo.remote(1).get(timeout=20) == 1


def test_sys_exit_in_a_task_is_an_error() -> None:
    error = caught(r.leave.remote("sys.exit"))
    assert isinstance(error, RemoteError)
    assert cause_of(error).name == "SystemExit"
    assert r.echo.remote(1).get(timeout=20) == 1
