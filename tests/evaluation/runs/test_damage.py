"""What is damaged in a run's folder is found, said and made again; what is whole stays."""

import json
import os
import random
import shutil
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sessions import MODEL, SETTINGS, Nothing, go_on, row_of

import tam_widget as tam
from tam_widget.evaluation import open_run
from tam_widget.evaluation.runs.judging import Settings
from tam_widget.evaluation.runs.runner import Session
from tam_widget.evaluation.runs.storage import RowStore


@pytest.fixture
def run(tmp_path):
    return go_on(tmp_path / "run")[0]


@pytest.fixture
def rows(run):
    return list(run.rows())


def file_of(run, index):
    return run.folder / "rows" / f"{index:07d}.parquet"


def flip(path, count=200, seed=0):
    data, rng = bytearray(path.read_bytes()), random.Random(seed)  # noqa: S311 - nothing secret
    for _ in range(count):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def copy_another(path):
    shutil.copy(path.with_name("0000001.parquet"), path)


def change_a_value(path):
    """A file that any reader reads, with another number than was written."""
    table = pq.read_table(path)
    place = table.schema.get_field_index("rouge_l")
    values = [0.75, *table["rouge_l"].to_pylist()[1:]]
    pq.write_table(table.set_column(place, table.schema.field(place), [pa.array(values)]), path)


def drop(name):
    def change(path):
        pq.write_table(pq.read_table(path).drop_columns(name), path)

    return change


def remake(path, kind):
    path.unlink()
    kind(path)


DAMAGES = {
    "200 bits flipped": flip,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "empty": lambda path: path.write_bytes(b""),
    "a foreign table": lambda path: pq.write_table(pa.table({"a": [1]}), path),
    "another row": copy_another,
    "another value": change_a_value,
    "two rows": lambda path: pq.write_table(pa.concat_tables([pq.read_table(path)] * 2), path),
    "no row": lambda path: pq.write_table(pq.read_table(path).slice(0, 0), path),
    "a column less": drop("answer"),
    "half a seal": drop("checksum"),
    "a pipe": lambda path: remake(path, os.mkfifo),
    "a link to nowhere": lambda path: remake(path, lambda path: path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_row_is_left_out_when_read_and_made_again(run, rows, damage):
    damage(file_of(run, 3))
    (run.folder / "samples.parquet").unlink()
    with pytest.warns(UserWarning, match="these rows are left out: row 3: "):
        assert list(open_run(run.folder).rows()) == rows[:3]
    with pytest.warns(UserWarning, match="damaged rows, which are made again: row 3: "):
        again, todo = go_on(run.folder)
    assert todo == [3]
    assert list(again.rows()) == rows
    assert again.manifest["sessions"][-1]["made_again"] == [3]
    assert [row["index"] for row in pq.read_table(run.folder / "samples.parquet").to_pylist()] == [0, 1, 2, 3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert go_on(run.folder)[1] == []


def test_a_damaged_row_costs_nothing_while_the_joined_file_is_whole(run, rows):
    flip(file_of(run, 0))
    assert list(open_run(run.folder).rows()) == rows


def test_a_row_of_a_run_with_other_settings_is_made_again(run, rows, tmp_path):
    other, _ = go_on(tmp_path / "other", settings=Settings(("tam", "cam"), seed=1))
    shutil.copy(file_of(other, 2), file_of(run, 2))
    with pytest.warns(UserWarning, match="row 2: it belongs to a run with other settings"):
        assert go_on(run.folder)[1] == [2]
    assert list(run.rows()) == rows


def test_rows_beside_which_run_json_is_missing_are_made_again(run, rows):
    (run.folder / "run.json").unlink()
    assert go_on(run.folder)[1] == [0, 1, 2, 3]
    assert list(run.rows()) == rows


@pytest.mark.parametrize("name", ["0000003 (1).parquet", "notes.parquet", "３.parquet", ".0000001.parquet", "x"])
def test_other_files_in_the_folder_of_rows_are_let_be(run, rows, name):
    (run.folder / "rows" / name).write_bytes(b"something else")
    (run.folder / "samples.parquet").unlink()
    assert list(open_run(run.folder).rows()) == rows
    assert go_on(run.folder)[1] == []
    assert (run.folder / "rows" / name).read_bytes() == b"something else"


def test_what_a_killed_process_left_half_written_is_removed(run):
    for name in ("rows/.0000001.parquet", ".samples.parquet", ".run.json", "..holder.json"):
        (run.folder / f"{name}.1a2b3c4d.part").write_bytes(b"half")
    go_on(run.folder, count=5)
    assert list(run.folder.rglob(".*")) == []


@pytest.mark.parametrize("damage", sorted(DAMAGES.keys() - {"another row", "two rows"}))
def test_a_damaged_joined_file_costs_nothing_while_the_rows_are_there(run, rows, damage):
    DAMAGES[damage](run.folder / "samples.parquet")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert list(open_run(run.folder).rows()) == rows
    assert len(said) == (damage not in {"no row", "a link to nowhere"})
    assert go_on(run.folder)[1] == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(open_run(run.folder).rows()) == rows


def test_of_a_joined_file_alone_all_rows_that_are_whole_are_read(run, rows):
    change_a_value(run.folder / "samples.parquet")
    shutil.rmtree(run.folder / "rows")
    with pytest.warns(UserWarning, match="row 0: its values are not those that were written"):
        assert list(open_run(run.folder).rows()) == rows[1:]


def test_rows_of_an_earlier_version_count(run, rows):
    """It knew no regions, and no seals."""
    for index in range(4):
        drop(["regions", "run", "checksum"])(file_of(run, index))
    (run.folder / "samples.parquet").unlink()
    old = [{name: value for name, value in row.items() if name != "regions"} for row in rows]
    assert list(open_run(run.folder).rows()) == old
    assert go_on(run.folder)[1] == []
    assert list(open_run(run.folder).rows()) == [{**row, "regions": None} for row in rows]
    before = (run.folder / "samples.parquet").stat().st_mtime_ns
    go_on(run.folder)
    assert (run.folder / "samples.parquet").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"samples": 4}', "[" * 100_000, b"\xff\xfe", b"\0" * 200],
    ids=["empty", "cut", "list", "null", "nothing", "parts", "deep", "no text", "zeros"],
)
def test_what_a_run_was_made_with_must_be_readable(run, text):
    path = run.folder / "run.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    for refused in (open_run, go_on):
        with pytest.raises(tam.EvaluationError, match=r"cannot be read.*put a copy back, or take another folder"):
            refused(run.folder)
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before


@pytest.mark.parametrize("name", ["model", "data", "settings", "versions", "samples"])
def test_what_run_json_lacks_is_named(run, name):
    path = run.folder / "run.json"
    path.write_text(json.dumps({key: value for key, value in run.manifest.items() if key != name}))
    with pytest.raises(tam.EvaluationError, match=f"it says no {name}"):
        open_run(run.folder)


def test_folders_in_the_place_of_files(run, rows, tmp_path):
    for name in ("rows/0000001.parquet", "samples.parquet"):
        (run.folder / name).unlink()
        (run.folder / name).mkdir()
    with pytest.warns(UserWarning, match="it is no file"):
        assert list(open_run(run.folder).rows()) == [rows[0], *rows[2:]]
    with (
        pytest.warns(UserWarning, match="row 1"),
        pytest.raises(tam.EvaluationError, match=r"0000001\.parquet cannot"),
    ):
        go_on(run.folder)
    assert list(run.folder.rglob(".*")) == []
    (run.folder / "run.json").unlink()
    (run.folder / "run.json").mkdir()
    with pytest.raises(tam.EvaluationError, match=r"run\.json cannot be read"):
        open_run(run.folder)


@pytest.mark.parametrize("name", ["run", "run/below"])
def test_files_in_the_place_of_folders(tmp_path, name):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(tam.EvaluationError, match="run"):
        go_on(tmp_path / name)
    assert (tmp_path / "run").read_text() == "a file"


def test_a_file_in_the_place_of_the_rows(tmp_path):
    (tmp_path / "rows").write_text("a file")
    with pytest.raises(tam.EvaluationError, match="rows"):
        go_on(tmp_path)
    assert list(tmp_path.rglob(".*")) == []


def test_a_row_is_read_only_under_its_own_name(tmp_path):
    store = RowStore(tmp_path)
    with Session(tmp_path, Nothing(9), SETTINGS, 2, progress=False) as session:
        session.learn_model(MODEL)
        session.keep(0, row_of(1))
        session.keep(1, row_of(1))
    done, damaged = store.look(2)
    assert (list(done), damaged) == ([1], {0: "it holds sample 1"})
