"""One process at a time writes into a run's folder, and a dead one holds nothing."""

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from errno import ENOLCK, ENOSYS
from pathlib import Path

import pytest
import sessions
from sessions import go_on

import tam_widget as tam
from tam_widget.evaluation import open_run
from tam_widget.evaluation.runs.holding import hold_folder
from tam_widget.evaluation.runs.judging import Settings

OTHER = Settings(("tam", "cam"), seed=1)


@contextmanager
def another_process(folder):
    """A process that has begun with the first row, and waits."""
    paths = [Path(sessions.__file__).parents[0], Path(sessions.__file__).parents[1], Path(tam.__file__).parents[1]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, sessions.__file__, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"0\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_and_told_who_writes(tmp_path):
    with another_process(tmp_path) as process:
        for settings in (sessions.SETTINGS, OTHER):
            with pytest.raises(tam.EvaluationError, match=rf"process {process.pid} on .* since|holds another run"):
                go_on(tmp_path, settings=settings)
        assert list(open_run(tmp_path).rows()) == []  # reading is free
        process.stdin.close()  # it goes on to its end
        assert process.wait() == 0
    run, todo = go_on(tmp_path)
    assert todo == []
    assert len(list(run.rows())) == 4
    assert list(tmp_path.rglob(".*")) == []


def test_a_killed_process_holds_nothing(tmp_path):
    with another_process(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert go_on(tmp_path)[1] == [0, 1, 2, 3]
    assert list(tmp_path.rglob(".*")) == []


def test_whoever_comes_first_holds_an_empty_folder(tmp_path):
    """Before there is a manifest, too, which would tell the other that it is another run."""
    with hold_folder(tmp_path / "run"):
        with pytest.raises(tam.EvaluationError, match=f"process {os.getpid()} on "):
            go_on(tmp_path / "run", settings=OTHER)
        (tmp_path / "run" / ".holder.json").unlink()
        with pytest.raises(tam.EvaluationError, match="is being written by another process: wait for its end, or take"):
            go_on(tmp_path / "run", settings=OTHER)
    assert list(tmp_path.iterdir()) == []


def test_what_was_made_for_nothing_is_removed(tmp_path):
    with pytest.raises(tam.EvaluationError, match="before"), hold_folder(tmp_path / "a" / "b"):
        raise tam.EvaluationError("before anything is written")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [ENOSYS, ENOLCK])
@pytest.mark.filterwarnings("ignore:flock not supported")
def test_file_systems_that_cannot_lock(tmp_path, monkeypatch, number):
    """Where there are no locks, a file that names its process takes their place; else the run does not begin."""

    def refuse(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    if number == ENOLCK:
        with pytest.raises(tam.EvaluationError, match="No locks available"):
            go_on(tmp_path / "run")
    else:
        with hold_folder(tmp_path / "run"), pytest.raises(tam.EvaluationError, match="is being written by process"):
            go_on(tmp_path / "run")
        go_on(tmp_path / "run")
        assert list(tmp_path.rglob(".*")) == []
    assert (tmp_path / "run").exists() == (number == ENOSYS)
