"""The fork server's protocol in its smallest form: its workers print, and do what MODE says."""

import json
import os
import signal
import socket
import sys


def run_worker(request: dict[str, object]) -> None:
    os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(request["logs"]))
        header = {"token": request["token"], "stream": name}
        stream.sendall(json.dumps(header).encode() + b"\n")
        os.dup2(stream.fileno(), number)
    os.environ["THORNBACK_TOKEN"] = str(request["token"])
    os.write(1, f"hello from {request['token']}\n".encode())
    mode = os.environ.get("MODE", "exit")
    if mode == "exit":
        os._exit(3)
    if mode == "child":
        # A grandchild in the worker's group.
        if os.fork() == 0:
            signal.pause()
        os._exit(0)
    signal.pause()


def main() -> None:
    if os.environ.get("MODE") == "broken":
        sys.exit("this fork server is broken")
    control = socket.socket(fileno=3)
    children: set[int] = set()

    def report(_number: int, _frame: object) -> None:
        for pid in list(children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done == 0:
                continue
            children.discard(pid)
            code = os.waitstatus_to_exitcode(status)
            exited = {
                "exited": pid,
                "code": code if code >= 0 else None,
                "signal": -code if code < 0 else None,
            }
            control.sendall(json.dumps(exited).encode() + b"\n")

    signal.signal(signal.SIGCHLD, report)
    control.sendall(b'{"ready": true}\n')
    for line in control.makefile("rb"):
        request = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            run_worker(request)
        children.add(pid)
        answer = {"forked": request["fork"], "pid": pid}
        control.sendall(json.dumps(answer).encode() + b"\n")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


main()
