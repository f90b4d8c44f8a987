"""A file has one job and a folder one subject: past a size, they hold two."""

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES, FILES = 400, 15
FOLDERS = ("tam_widget", "js/src", "js/tests", "tests", "benchmarks", "docs", "notebooks")
KINDS = {".py", ".ts", ".css"}
# A file for each layout of pictures that there is.
GROWS = {"tam_widget/models/families"}
# What a folder of Python needs to be one.
NOT_COUNTED = {"__init__.py", "conftest.py"}


def sources():
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    return [path for path in paths if "static" not in path.parts and ROOT / "tests" / "data" not in path.parents]


def test_no_file_is_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > LINES} == {}


def test_no_folder_is_full():
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in sources() if path.name not in NOT_COUNTED)
    assert {name: count for name, count in counts.items() if count > FILES and name not in GROWS} == {}


def test_every_folder_of_the_package_is_a_package():
    folders = {path.parent for path in (ROOT / "tam_widget").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
