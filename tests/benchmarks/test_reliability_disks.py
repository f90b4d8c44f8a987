"""A little of what the benchmark of damaged files and full disks does at length: the same code, and nothing is lost."""

import pytest

from reliability import disks

TIMES = {"flips": 40, "cuts": 20, "joined": 12, "manifests": 12, "limits": 4, "full_disks": 4, "kills": 1, "pairs": 2}


@pytest.fixture(scope="module")
def happened():
    return {name: (disks.ROWS[name][0](times)["happened"], times) for name, times in TIMES.items()}


def test_there_is_a_row_for_each():
    assert TIMES.keys() == disks.ROWS.keys()


@pytest.mark.parametrize("name", ["flips", "cuts", "joined", "manifests"])
def test_damage_is_never_taken_for_what_was_written(happened, name):
    found, times = happened[name]
    assert sum(found.values()) == times
    assert sum(count for kind, count in found.items() if disks.OTHER in kind) == 0
    assert any(
        count
        for kind, count in found.items()
        if disks.FOUND in kind or kind in {"refused", f"with rows/: {disks.SAME}"}
    )


@pytest.mark.parametrize("name", ["limits", "full_disks"])
def test_a_full_disk_takes_nothing_and_is_told(happened, name):
    found, times = happened[name]
    if "no disk can be mounted here" in found:
        pytest.skip("no disk can be mounted here")
    assert found["told"] > 0
    assert found["told"] + found["had room"] == found["as written in the end"] == times
    assert (found["rows lost meanwhile"], found["left something"]) == (0, 0)


def test_a_killed_process_takes_nothing(happened):
    found, times = happened["kills"]
    assert (found[disks.SAME], found["left something"]) == (times, 0)


def test_two_runs_do_not_mix(happened):
    found, times = happened["pairs"]
    assert found == {"one wrote, one was refused": times, "mixed": 0}
