"""A run on workers of Ray is the run in one process, also when a worker dies; and what is said without Ray."""

import importlib.util
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from run_scenes import CHEAP, Deadly, Scenes, load_demo_on_one_thread

import tam_widget as tam
from tam_widget.evaluation.runs import ray_runner
from tam_widget.evaluation.runs.ray_runner import evaluate_on_ray
from tam_widget.evaluation.runs.runner import evaluate

SETTINGS = {"methods": CHEAP, "faithfulness": 1, "steps": 2, "progress": False}
HERE = Path(__file__).parents[1]
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")


@pytest.fixture(scope="module")
def in_process(tmp_path_factory):
    threads = torch.get_num_threads()
    pair = load_demo_on_one_thread()
    run = evaluate(*pair, Scenes(5), out=tmp_path_factory.mktemp("alone"), **SETTINGS)
    torch.set_num_threads(threads)
    return run


@pytest.fixture
def ray_for_tests(tmp_path, monkeypatch):
    """Workers find the tests' modules; Ray's token lies in a folder of the test, not in the home folder."""
    # JupyterLab brings a package that jsonschema, and so each process of Ray, uses where it is there: two thirds of
    # the time that a process takes to start go into its grammar, and on a busy machine there are only 15 seconds.
    (tmp_path / "rfc3987_syntax.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tmp_path, HERE, HERE.parents[1]))))
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return
    token = tmp_path / "token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))


@needs_ray
def test_a_killed_worker_loses_nothing_and_rows_are_those_of_one_process(tmp_path, ray_for_tests, in_process):
    import ray

    sentinel = tmp_path / "killed"
    run = evaluate_on_ray(load_demo_on_one_thread, Deadly(5, 2, sentinel), out=tmp_path / "out", **SETTINGS)
    assert sentinel.exists()
    assert not ray.is_initialized()
    assert list(run.rows()) == list(in_process.rows())
    assert run.failures() == []
    assert (run.folder / "samples.parquet").read_bytes() == (in_process.folder / "samples.parquet").read_bytes()
    assert run.manifest["sessions"][0]["workers"] == 2
    same = ("model", "data", "settings", "versions", "samples")
    assert {name: run.manifest[name] for name in same} == {name: in_process.manifest[name] for name in same}
    # All is done, so that nothing is started for another go; and other settings are refused before Ray is.
    again = evaluate_on_ray("demo", Scenes(5), out=run.folder, **SETTINGS)
    assert len(again.manifest["sessions"]) == 1
    with pytest.raises(tam.EvaluationError, match=r"settings\.steps is 3, there 2"):
        evaluate_on_ray("demo", Scenes(5), out=run.folder, **{**SETTINGS, "steps": 3})


class Unwilling:
    """As much of Ray as a start needs; the first ones take too long."""

    def __init__(self, failures, message):
        self.failures, self.message = failures, message
        self.folders = []
        self._private = SimpleNamespace(parameter=SimpleNamespace(RayParams=dict))

    def is_initialized(self):
        return False

    def init(self, **settings):
        assert self._private.parameter.RayParams() == {"no_monitor": True, "include_log_monitor": False}
        self.folders.append(settings["_temp_dir"])
        if len(self.folders) <= self.failures:
            command = [sys.executable, "-c", "input()", settings["_temp_dir"]]
            self.helper = subprocess.Popen(command, stdin=subprocess.PIPE)
            raise RuntimeError(self.message)

    def shutdown(self):
        pass


@pytest.fixture
def no_ray_runs(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for name in ray_runner._LIMITS:
        monkeypatch.setenv(name, "1")  # it is not changed where it is set, and as before after the test


@needs_ray
def test_a_start_that_takes_too_long_is_tried_again(no_ray_runs):
    unwilling = Unwilling(2, "The current node timed out during startup.")
    with ray_runner._running(unwilling, 2):
        assert len(set(unwilling.folders)) == 3
        assert unwilling.helper.wait(60) != 0  # what a failed start left running was ended
    assert not any(Path(folder).exists() for folder in unwilling.folders)
    assert unwilling._private.parameter.RayParams is dict


@needs_ray
@pytest.mark.parametrize(("failures", "message", "starts"), [(9, "It timed out.", 5), (9, "No such option.", 1)])
def test_a_start_that_fails_is_told_and_leaves_nothing(no_ray_runs, failures, message, starts):
    unwilling = Unwilling(failures, message)
    with (
        pytest.raises(tam.EvaluationError, match=f"Ray did not start: {re.escape(message)}.*RAY_ADDRESS"),
        ray_runner._running(unwilling, 2),
    ):
        pass
    assert len(unwilling.folders) == starts
    assert unwilling.helper.wait(60) != 0
    assert not any(Path(folder).exists() for folder in unwilling.folders)


def test_without_ray_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(tam.MissingDependencyError, match=r"pip install 'tam-widget\[ray\]'"):
        evaluate_on_ray("demo", Scenes(2), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", [0, -1])
def test_at_least_one_worker(tmp_path, workers):
    with pytest.raises(tam.EvaluationError, match="at least 1"):
        evaluate_on_ray("demo", Scenes(2), out=tmp_path, workers=workers)


def test_a_process_that_has_no_arguments_yet_is_looked_at_again():
    seen = iter([[], [], ["ray", "folder"]])
    assert ray_runner._command_line(SimpleNamespace(cmdline=lambda: next(seen))) == ["ray", "folder"]
