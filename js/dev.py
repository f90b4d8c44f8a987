"""Work on the widget: ``make dev``.

Runs esbuild, which builds the bundle at every change of a source, beside a JupyterLab whose widgets load it again. Both
stop together.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from build_frontend import ROOT, npm_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATIENCE = 20  # s, for JupyterLab to stop its kernels


def together(*commands: tuple[Sequence[str], Mapping[str, str]]) -> int:
    """Run commands side by side until one of them ends, or until Ctrl-C, and then end the others.

    Parameters
    ----------
    *commands : (sequence of str, mapping)
        The words of a command, and its environment.

    Returns
    -------
    int
        The exit code of the one that ended first; 0 after Ctrl-C, SIGTERM or a closed terminal.
    """
    ended: SimpleQueue[subprocess.Popen[bytes] | None] = SimpleQueue()
    # An exception could come between the start of a process and its entry in the list.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: ended.put(None))
    running: list[subprocess.Popen[bytes]] = []
    try:
        for words, environment in commands:
            # In a group of its own Ctrl-C is not heard: JupyterLab would ask whether it is meant. esbuild ends with its
            # input, which this process holds, so that it cannot outlive it.
            own = {"start_new_session": True} if os.name == "posix" else {}
            process = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=subprocess.PIPE, **own)  # noqa: S603
            running.append(process)
            threading.Thread(target=_tell, args=(process, ended), daemon=True).start()
        first = ended.get()
        return 0 if first is None else first.returncode
    finally:
        _end(running)


def _tell(process: subprocess.Popen[bytes], ended: SimpleQueue[subprocess.Popen[bytes] | None]) -> None:
    process.wait()
    ended.put(process)


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask all to stop, wait, and kill what does not, or has left a process behind."""
    for process in running:
        _send(process, signal.SIGTERM)
    for process in running:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _send(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def _send(process: subprocess.Popen[bytes], what: int) -> None:
    """Send a signal to a process and its children."""
    try:
        if os.name == "posix":
            os.killpg(process.pid, what)
        elif process.poll() is None:
            process.terminate()
    except ProcessLookupError:
        pass  # all gone


if __name__ == "__main__":
    npm, environment = npm_command()
    lab = [sys.executable, "-m", "jupyterlab", *sys.argv[1:]]
    sys.exit(together(([*npm, "run", "dev"], environment), (lab, os.environ | {"ANYWIDGET_HMR": "1"})))
