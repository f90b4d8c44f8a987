"""Full disks and folders that cannot be written to: what was there stays, and the reason is said."""

import resource
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from sessions import go_on

import tam_widget as tam
from tam_widget.evaluation import files, open_run
from tam_widget.evaluation.runs import storage


def mounted(folder, *options):
    """Mount over a folder, or skip: only root may."""
    command = ["mount", *options, folder]
    if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")


@pytest.fixture
def disk(tmp_path):
    """A small disk in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted(folder, "-t", "tmpfs", "-o", "size=1m", "tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


@contextmanager
def files_end_after(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_costs_nothing_that_was_there(disk):
    run, _ = go_on(disk / "run")
    rows, before = list(run.rows()), everything(run.folder)
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free))
    with pytest.raises(tam.EvaluationError, match="cannot be written: No space left on device; make room and start"):
        go_on(run.folder, count=6)
    assert everything(run.folder) == before
    (disk / "filler").unlink()
    again, todo = go_on(run.folder, count=6)
    assert todo == [4, 5]
    assert list(again.rows())[:4] == rows


@pytest.mark.parametrize("size", [0, 50, 500, 5_000, 15_000])
def test_a_file_that_may_not_grow_costs_nothing_that_was_there(tmp_path, size):
    """At first nothing can be written, then the process's name, then what the run is made with, then half a row."""
    run, _ = go_on(tmp_path / "run")
    before = everything(run.folder)
    with files_end_after(size), pytest.raises(tam.EvaluationError, match="cannot be written: File too large"):
        go_on(run.folder, count=6)
    after = everything(run.folder)
    assert {path: after[path] for path in before if path.name != "run.json"} == {
        path: data for path, data in before.items() if path.name != "run.json"
    }
    assert len(list(open_run(run.folder).rows())) == 4
    assert go_on(run.folder, count=6)[1] == [4, 5]


def test_a_joined_file_that_cannot_be_written_leaves_the_rows(tmp_path, monkeypatch):
    def full(path):
        raise tam.EvaluationError("no room")

    monkeypatch.setattr(storage, "open_whole", full)
    with pytest.raises(tam.EvaluationError, match="no room"):
        go_on(tmp_path)
    assert len(list(open_run(tmp_path).rows())) == 4
    monkeypatch.undo()
    run, todo = go_on(tmp_path)
    assert todo == []
    assert len(list(run.rows())) == 4


def test_an_error_on_its_way_is_not_hidden_by_a_full_disk(tmp_path):
    def stop(index):
        if index == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
            raise KeyboardInterrupt

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(KeyboardInterrupt):
            go_on(tmp_path, before=stop)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert go_on(tmp_path)[1] == [2, 3]


def test_a_finished_run_is_read_and_gone_on_with_where_nothing_can_be_written(tmp_path):
    run, _ = go_on(tmp_path / "run")
    page = run.report()
    rows, before = list(run.rows()), everything(run.folder)
    mounted(run.folder, "--bind", run.folder)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", run.folder], check=True)
        with pytest.raises(OSError, match="Read-only"):
            (run.folder / "x").touch()
        assert list(open_run(run.folder).rows()) == rows
        again, todo = go_on(run.folder)
        assert (list(again.rows()), todo) == (rows, [])
        assert again.report() == page
        with pytest.raises(tam.EvaluationError, match="Read-only file system; take a folder that can be written to"):
            go_on(run.folder, count=5)
    finally:
        subprocess.run(["umount", run.folder], check=True)
    assert everything(run.folder) == before


def test_a_finished_run_is_not_written_again(tmp_path, monkeypatch):
    run, _ = go_on(tmp_path)
    rows = list(run.rows())

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    for name in ("open", "mkdir", "unlink", "replace"):
        monkeypatch.setattr(Path, name, refuse if name != "open" else only_reading(Path.open))
    again, todo = go_on(tmp_path)
    assert (list(again.rows()), todo) == (rows, [])


def only_reading(real):
    def opened(path, mode="r", *args, **kwargs):
        if set(mode) & set("wax+"):
            raise PermissionError(13, "Permission denied")
        return real(path, mode, *args, **kwargs)

    return opened


def test_rows_that_may_not_be_read_are_told(tmp_path, monkeypatch):
    run, _ = go_on(tmp_path)
    rows = list(run.rows())
    (tmp_path / "samples.parquet").unlink()
    real = Path.read_bytes

    def closed(path):
        if path.name == "0000002.parquet":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", closed)
    with pytest.warns(UserWarning, match="row 2: Permission denied"):
        assert list(run.rows()) == [*rows[:2], rows[3]]


def test_a_file_is_whole_or_as_before(tmp_path):
    path = tmp_path / "new" / "file"
    files.write_whole(path, b"first")
    with files_end_after(3), pytest.raises(tam.EvaluationError, match="File too large"):
        files.write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]
