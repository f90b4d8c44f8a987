"""Long answers on large pictures: what is made when, what is kept, what one thread waits for, and what is too much."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
import torch
from made_explanation import GRIDS, make

import tam_widget as tam
from tam_widget.explanation import map_bank
from tam_widget.explanation.map_bank import MapBank, Method
from tam_widget.maps import TextActivations

PATIENCE = 60  # seconds that a loaded machine may take for what takes none


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Treat the small explanations of these tests as large ones: three tokens' maps at a time."""
    monkeypatch.setattr(map_bank, "_TOGETHER", 0)
    monkeypatch.setattr("tam_widget.maps.tam._GROUP", 60)


@pytest.fixture
def made(monkeypatch):
    """The tokens whose maps are computed, block by block."""
    blocks = []
    maps = TextActivations.maps

    def noted(self, *, tokens, **options):
        blocks.append(tokens)
        return maps(self, tokens=tokens, **options)

    monkeypatch.setattr(TextActivations, "maps", noted)
    return blocks


def test_a_hover_makes_its_own_map_alone_and_once(made):
    ex = make()
    ex.heatmap(7)
    ex.relevance(7)
    ex.heatmap(7, candidate=ex.tokens[7].candidates[0])
    assert made == [[7]]


def test_maps_ahead_are_made_together(made):
    ex = make()
    assert ex.prepare([8, 5, 6]) is True
    assert made == [[8, 5, 6]]
    expected = make().maps().images[0]
    made.clear()
    for token in (5, 6, 8):
        np.testing.assert_allclose(ex.heatmap(token), expected[token], rtol=0, atol=1e-6)
    assert made == []
    ex.prepare([5, 9, 5], part="raw")
    assert made == [[5, 9]]
    with pytest.raises(tam.TokenIndexError):
        ex.prepare([5, 11])


def test_all_maps_are_made_a_while_at_a_time_and_go_on_where_they_were(made):
    ex = make()
    assert ex.prepare(seconds=0) is False
    assert made == [[0, 1, 2]]
    ex.heatmap(1)
    assert len(made) == 1
    rounds = 1
    while not ex.prepare(seconds=0):
        rounds += 1
    assert rounds == 3
    assert made == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]
    maps = ex.maps()
    ex.responses((0, 0, 20, 20))
    assert len(made) == 4
    assert ex.maps() is maps


def test_regions_are_the_same_whether_all_maps_are_kept_or_not(monkeypatch):
    kept = make(grids=((3, 4, 5), (3, 3)))
    expected = [kept.responses((3, 4, 31, 22), frame=1), kept.responses((3, 4, 31, 22), image=1)]
    np.testing.assert_array_equal(kept.responses((3, 4, 31, 22), frame=1), expected[0])
    monkeypatch.setattr(map_bank, "_KEPT_BYTES", 0)
    ex = make(grids=((3, 4, 5), (3, 3)))
    assert ex.prepare(seconds=0) is True
    np.testing.assert_allclose(ex.responses((3, 4, 31, 22), frame=1), expected[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(ex.responses((3, 4, 31, 22), image=1), expected[1], rtol=0, atol=1e-6)
    assert not ex._bank._all


def test_a_box_beside_the_picture_is_refused_before_maps_are_made(made):
    with pytest.raises(ValueError, match="lies outside"):
        make().responses((500, 0, 600, 20))
    assert made == []


class Held:
    """Holds the making of all maps in the middle of a block."""

    def __init__(self, monkeypatch):
        self.begun, self.go = threading.Event(), threading.Event()
        maps = TextActivations.maps

        def slow(text, *, tokens, **options):
            if len(tokens) > 1 and 3 in tokens:
                self.begun.set()
                assert self.go.wait(PATIENCE)
            return maps(text, tokens=tokens, **options)

        monkeypatch.setattr(TextActivations, "maps", slow)


def test_a_hover_is_answered_while_all_maps_are_made(monkeypatch):
    ex, held = make(), Held(monkeypatch)
    every = threading.Thread(target=ex.maps)
    every.start()
    assert held.begun.wait(PATIENCE)
    hovers = [ex.heatmap(token) for token in (1, 9)]  # one that is there, and one that is not yet
    held.go.set()
    every.join()
    for token, found in zip((1, 9), hovers, strict=True):
        np.testing.assert_allclose(found, ex.maps().images[0][token], rtol=0, atol=1e-6)


def test_threads_that_want_all_maps_share_the_work(made):
    ex = make(grids=GRIDS)
    found = []
    threads = [threading.Thread(target=lambda: found.append(ex.maps())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(maps) for maps in found}) == 1
    assert sorted(token for block in made for token in block) == list(range(11))


def test_an_explanation_is_freed_while_others_hold_its_maps():
    ex = make()
    maps = ex.maps()
    ex.heatmap(5, candidate=1)
    kept = weakref.ref(ex)
    del ex
    gc.collect()
    assert kept() is None
    assert np.isfinite(maps.images[0]).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda ex: pickle.loads(pickle.dumps(ex))])  # noqa: S301 - our own
def test_a_copy_gives_the_same_maps(copied):
    ex = make()
    ex.maps()
    other = copied(ex)
    assert not other._bank._all
    np.testing.assert_allclose(other.heatmap(7), ex.heatmap(7), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("grids", "largest"),
    [
        (((16, 16),), 15),
        (((4, 5),), 7),
        (((1, 30),), 7),
        (((12, 40),), 11),
        (((3, 4, 5), (9, 9)), 9),
        (((64, 64),), 15),
    ],
)
def test_a_window_has_a_limit_that_follows_the_grid(grids, largest):
    ex = make(grids=grids)
    assert ex.heatmap(5, kernel_size=largest).shape == grids[0]
    rows, columns = max((grid[-2:] for grid in grids), key=min)
    refused = f"kernel_size must be odd and at most {largest} for maps of {rows} × {columns} cells, not "
    for size in (largest + 2, 51, 1001):
        for ask in (
            lambda: ex.heatmap(5, kernel_size=size),  # noqa: B023 - called at once
            lambda: ex.maps(kernel_size=size),  # noqa: B023
            lambda: ex.prepare(kernel_size=size),  # noqa: B023
            lambda: ex.responses((0, 0, 10, 10), 0, 0 if len(grids[0]) == 3 else None, kernel_size=size),  # noqa: B023
        ):
            with pytest.raises(ValueError, match=refused):
                ask()


def test_only_so_many_methods_are_kept():
    ex = make()
    for size in (1, 3, 5):
        ex.maps(kernel_size=size)
    assert list(ex._bank._all) == [Method(kernel_size=3), Method(kernel_size=5)]


class Full:
    """Memory for the maps of so many tokens."""

    def __init__(self, monkeypatch, most, error):
        self.tried = []
        maps = TextActivations.maps

        def work(text, *, tokens, **options):
            self.tried.append(len(tokens))
            if len(tokens) > most:
                raise error
            return maps(text, tokens=tokens, **options)

        monkeypatch.setattr(TextActivations, "maps", work)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
    ids=["device", "cpu"],
)
def test_where_memory_runs_out_smaller_blocks_give_the_same_maps(monkeypatch, error):
    expected = make().maps().images[0]
    full = Full(monkeypatch, 1, error)
    np.testing.assert_allclose(make().maps().images[0], expected, rtol=0, atol=1e-6)
    assert full.tried[:2] == [3, 1]


def test_where_one_map_is_too_much_the_error_is_the_documented_one_and_the_next_map_can_be_had(monkeypatch):
    ex = make()
    with monkeypatch.context() as patch:
        Full(patch, 0, torch.OutOfMemoryError("CUDA out of memory."))
        for ask in (lambda: ex.heatmap(5), ex.maps, lambda: ex.responses((0, 0, 10, 10))):
            with pytest.raises(tam.MapMemoryError, match="CUDA out of memory"):
                ask()
    np.testing.assert_allclose(ex.heatmap(5), ex.maps().images[0][5], rtol=0, atol=1e-6)


def test_all_maps_that_do_not_fit_say_how_large_they_are(monkeypatch):
    def none(*_):
        raise MemoryError

    ex = make()
    monkeypatch.setattr(map_bank, "AllMaps", none)
    with pytest.raises(tam.MapMemoryError, match=r"maps of all 11 tokens take 0\.0 GB.*heatmap"):
        ex.maps()
    assert ex.heatmap(5).shape == (4, 5)


def test_a_bank_computes_nothing_under_its_own_lock(monkeypatch):
    bank = make()._bank
    computed = MapBank._computed

    def checked(self, *args, **options):
        for maps in computed(self, *args, **options):
            assert not self._lock.locked()
            yield maps

    monkeypatch.setattr(MapBank, "_computed", checked)
    bank.every()
    bank.one(3, bank._activations.ids[3], Method(part="raw"))
