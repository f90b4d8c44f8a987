"""`make dev` leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="make and sh are not there")
FRONT_END = Path(__file__).parents[2] / "js"
# As npm does: the one that works is a child of the one that was started.
WORKS = "sleep 1000 & echo works; wait"
DEAF = "trap '' TERM INT; echo works; while true; do sleep 1000; done"


def started(*scripts):
    commands = [(["sh", "-c", script], {"PATH": os.environ["PATH"]}) for script in scripts]
    code = f"import sys, dev; dev.PATIENCE = 1; sys.exit(dev.together(*{commands!r}))"
    return subprocess.Popen([sys.executable, "-c", code], cwd=FRONT_END, stdout=subprocess.PIPE, text=True)


def all_gone(runner):
    """Whatever was started holds the pipe that the runner writes into: it ends when the last of them does."""
    said, _ = runner.communicate(timeout=120)
    return said == ""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("other", [WORKS, DEAF])
def test_a_signal_stops_all(how, other):
    runner = started(WORKS, other)
    assert [runner.stdout.readline() for _ in range(2)] == ["works\n"] * 2
    runner.send_signal(how)
    assert all_gone(runner)
    assert runner.returncode == 0


def test_where_one_ends_the_other_is_stopped_and_its_code_returned(tmp_path):
    os.mkfifo(tmp_path / "order")
    runner = started(WORKS, f"read order < {tmp_path}/order; exit 3")
    assert runner.stdout.readline() == "works\n"
    (tmp_path / "order").write_text("end\n", encoding="utf-8")
    assert all_gone(runner)
    assert runner.returncode == 3
