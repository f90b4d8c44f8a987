"""The rules of the house: who may import whom, and what CONTRIBUTING.md says of it."""

import re
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import draw_house
from house import imports as reading
from house.floors import CHOSEN, CONTRIBUTING, floors_of
from house.imports import room_of, rooms_of, sources_of
from house.layout import arranged, reduced

ROOT = Path(__file__).parents[2]
HOUSES = ("tam_widget/", "js/src/")
WITH_FLOORS = (*HOUSES, "tam_widget/evaluation/")
# models/ runs them and reads what they leave; training builds the demo models, whose classes are transformers' own.
KNOW_TRANSFORMERS = ("models/", "demo/training/")


imports_of = cache(reading.imports_of)
pictures = cache(draw_house.pictures)


def house_of(name):
    """The house that a folder belongs to, and the folder's path in it."""
    house = next(house for house in HOUSES if name.startswith(house))
    return ROOT / house, name.removeprefix(house)


def forbidden(imports, floors, folder="", chosen=CHOSEN):
    """Each import that leads to a higher floor, or into another room of the same one."""
    floor = {room: number for number, rooms in enumerate(floors) for room in rooms}
    found = []
    for where, target, line, _ in imports:
        if where.startswith(folder) and target.startswith(folder) and "." in target:
            above, below = room_of(where, folder), room_of(target, folder)
            if above != below and (above, below) not in chosen and floor[below] >= floor[above]:
                found.append(f"{where}:{line} imports {target}")
    return found


def circle(arrows):
    """A way that leads back to where it began; None where there is none."""
    graph = {}
    for start, end in sorted(arrows):
        graph.setdefault(start, []).append(end)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def known_outside(imports, package, allowed):
    return [f"{i.source}:{i.line}" for i in imports if i.target == package and not i.source.startswith(allowed)]


@pytest.mark.parametrize("name", WITH_FLOORS)
def test_every_room_has_a_floor(name):
    house, folder = house_of(name)
    rooms = {room_of(path, folder) for path in sources_of(house) if path.startswith(folder)}
    named = [room for floor in floors_of(name) for room in floor]
    assert sorted(named) == sorted(rooms)


@pytest.mark.parametrize("name", WITH_FLOORS)
def test_no_room_imports_what_lies_above_or_beside_it(name):
    house, folder = house_of(name)
    assert forbidden(imports_of(house), floors_of(name), folder) == []


def test_the_way_up_that_is_a_choice_is_taken_where_it_is_used():
    taken = [i for i in imports_of(ROOT / "tam_widget") if (room_of(i.source), room_of(i.target)) in CHOSEN]
    assert {(room_of(i.source), room_of(i.target)) for i in taken} == CHOSEN
    assert all(i.late for i in taken)


@pytest.mark.parametrize("name", HOUSES)
def test_nothing_goes_in_circles(name):
    imports = [i for i in imports_of(ROOT / name) if (room_of(i.source), room_of(i.target)) not in CHOSEN]
    assert circle((i.source, i.target) for i in imports) is None  # file by file
    folders = {f"{parent}/" for i in imports for parent in map(str, Path(i.source).parents) if parent != "."}
    for folder in ("", *sorted(folders)):
        assert circle(rooms_of(imports, folder)) is None


def test_only_two_rooms_know_transformers():
    imports = imports_of(ROOT / "tam_widget")
    assert known_outside(imports, "transformers", KNOW_TRANSFORMERS) == []
    for room in KNOW_TRANSFORMERS:
        assert known_outside([i for i in imports if i.source.startswith(room)], "transformers", ("nowhere",))


def test_the_method_knows_tensors_alone():
    ours = {i.target for i in imports_of(ROOT / "tam_widget") if i.source.startswith("maps/")}
    libraries = {name for name in ours if "." not in name} - sys.stdlib_module_names
    assert libraries == {"torch", "numpy"}
    assert {room_of(path) for path in ours if "." in path} <= {"maps/", "errors.py"}


@pytest.mark.parametrize("picture", ["house.svg", "house-page.svg"])
def test_the_pictures_are_true(picture):
    assert (ROOT / "docs" / picture).read_text(encoding="utf-8") == pictures()[picture], "`make house` draws it again"


def test_the_files_that_the_page_names_are_there():
    named = set(re.findall(r"`([\w/]+\.(?:py|ts|css))`", CONTRIBUTING.read_text(encoding="utf-8")))
    places = [ROOT, *(ROOT / folder for folder in WITH_FLOORS)]
    assert len(named) > 20
    assert [name for name in sorted(named) if not any((place / name).is_file() for place in places)] == []


@pytest.fixture
def made(tmp_path):
    """A function that builds a house of the given files and returns its imports."""

    def build(**files):
        house = tmp_path / "made"
        for name, text in {"__init__": "", **files}.items():
            path = house / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text, encoding="utf-8")
        return reading.imports_of(house)

    return build


@pytest.mark.parametrize(
    "line",
    [
        "import made.high.room",
        "from made.high import room",
        "from made.high.room import thing",
        "from ..high import room",
        "def late():\n    from made.high.room import thing",
        "if TYPE_CHECKING:\n    from made.high.room import thing",
        "thing = import_module('made.high.room')",
    ],
)
def test_every_way_to_import_is_seen(made, line):
    imports = made(**{"low/room": line, "high/room": "import made.low"})
    up = [i for i in imports if i.source == "low/room.py" and i.target == "high/room.py"]
    assert [(i.line, i.late) for i in up] == [(line.count("\n") + 1, "\n" in line)]
    assert forbidden(imports, [["low/"], ["high/"]]) == [f"low/room.py:{up[0].line} imports high/room.py"]
    assert forbidden(imports, [["low/", "high/"]])[0] == "high/room.py:1 imports low/__init__.py"
    assert forbidden(imports, [["low/"], ["high/"]], chosen={("low/", "high/")}) == []
    assert circle(rooms_of(imports)) is not None


def test_a_version_is_no_import_of_the_front_door_and_a_name_of_it_is(made):
    imports = made(__init__="__version__ = '1'", one="from made import __version__", two="from made import explain")
    assert [(i.source, i.target) for i in imports] == [("two.py", "__init__.py")]


def test_a_module_that_is_not_there_is_an_error(made):
    with pytest.raises(ValueError, match=r"imports made\.lost, which is not a module of made"):
        made(one="import made.lost")


def test_floors_without_a_gap(tmp_path):
    table = "| floor | `made/` | its job |\n|---|---|---|\n| 3 | `b/` | |\n| 1 | `a/`, `c.py` | |\n"
    with pytest.raises(ValueError, match="without gaps"):
        floors_of("made/", table)
    assert floors_of("made/", table.replace("3", "2")) == [["a/", "c.py"], ["b/"]]
    assert floors_of("other/", table) == []


def test_the_picture_shows_a_longer_way_by_the_rooms_on_it():
    arrows = reduced({("c", "b"), ("b", "a"), ("c", "a"), ("d", "a")})
    assert arrows == {("c", "b"), ("b", "a"), ("d", "a")}
    rows = arranged([["a"], ["b"], ["c", "d"]], dict.fromkeys("abcd", 100), arrows)
    assert [sorted(block.room for block in row) for row in rows] == [["a"], ["a", "b"], ["c", "d"]]
    for row in rows:
        assert all(left.x + left.width / 2 < right.x - right.width / 2 for left, right in pairwise(row))
