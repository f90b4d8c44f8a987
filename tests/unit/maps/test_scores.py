"""What is computed once and kept, and what happens where the memory does not suffice."""

import threading
import weakref

import numpy as np
import pytest
import torch

import tam_widget as tam
from tam_widget.maps import TextActivations, activation_maps
from tam_widget.maps import scores as scores_module
from tam_widget.maps.memory import in_blocks, is_out_of_memory

NAMES = ("image", "text", "raw", "interference")


def text(tokens=12, cells=30, width=8, seed=0):
    """The six arguments; every class is a key."""
    rng = torch.Generator().manual_seed(seed)
    classes = torch.randint(0, 6, (tokens,), generator=rng)
    hidden = torch.randn(cells + tokens, width, generator=rng)
    return hidden, torch.randn(6, width, generator=rng), classes, range(cells, cells + tokens), classes, range(cells)


def assert_same(found, expected):
    for name in NAMES:
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=0, atol=1e-6)


@pytest.fixture
def computed(monkeypatch):
    """How many classes were computed, each time."""
    counts = []
    activation = scores_module.activation
    monkeypatch.setattr(
        scores_module, "activation", lambda hidden, rows, at: counts.append(len(rows)) or activation(hidden, rows, at)
    )
    return counts


def test_scores_are_computed_once(computed):
    activations = TextActivations(*text())
    whole = activations.maps()
    first = sum(computed)
    assert first == 2 * len(text()[2].unique())  # at the picture and at the text
    for token in range(12):
        alone = activations.maps(tokens=[token])
        assert_same(alone, type(whole)(*(getattr(whole, name)[token : token + 1] for name in NAMES)))
    assert sum(computed) == first


def test_a_token_needs_the_classes_before_it_alone(computed):
    hidden, weight, _, positions, _, cells = text(tokens=5)
    TextActivations(hidden, weight, [0, 1, 2, 3, 4], positions, [0, 1, 2, 3, 4], cells).maps(tokens=[1])
    assert sum(computed) == 2 + 1  # itself and the one before at the picture, itself at the text


@pytest.mark.parametrize("bytes_kept", [0, 12 * 6 * 8])
@pytest.mark.parametrize("block", [1, 70, 2**23])
def test_scores_that_are_too_many_to_be_kept_give_the_same(monkeypatch, bytes_kept, block):
    expected = activation_maps(*text())
    monkeypatch.setattr(scores_module, "_CPU_KEPT", bytes_kept)
    monkeypatch.setattr(scores_module, "_BLOCK", block)
    activations = TextActivations(*text())
    assert_same(activations.maps(), expected)
    assert_same(activations.maps(), expected)


def test_scores_begun_in_inference_mode_go_on_outside():
    expected = activation_maps(*text())
    with torch.inference_mode():
        activations = TextActivations(*text())
        activations.maps(tokens=[3])
    assert_same(activations.maps(), expected)


def test_threads_that_ask_at_the_same_time_get_the_same():
    expected = activation_maps(*text(tokens=40, cells=60))
    activations = TextActivations(*text(tokens=40, cells=60))
    start, found = threading.Barrier(8), {}

    def ask(k):
        start.wait()
        found[k] = activations.maps(tokens=list(range(k, 40, 8)))

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(8):
        assert_same(found[k], type(expected)(*(getattr(expected, name)[k::8] for name in NAMES)))


def test_room_that_cannot_be_had_is_done_without(monkeypatch):
    zeros = np.zeros

    def full(shape, **options):
        if shape == (6, 30):
            raise MemoryError
        return zeros(shape, **options)

    monkeypatch.setattr(np, "zeros", full)
    scores = scores_module.Scores(*text()[:2], torch.arange(6), torch.arange(30))
    assert not scores.are_kept
    torch.testing.assert_close(scores.of(torch.tensor([2, 0, 2])), expected_rows(text(), [2, 0, 2]))


def expected_rows(arguments, classes):
    hidden, weight, *_, cells = arguments
    return (weight[classes].double() @ hidden[list(cells)].double().T).clamp(min=0)


ERRORS = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried 1 byte"),
    tam.MapMemoryError("there is not enough memory"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_blocks_shrink_where_memory_runs_out(error):
    tried = []

    def work(block):
        tried.append((block.start, block.stop))
        if block.stop - block.start > 2:
            raise error
        return sum(range(block.start, block.stop))

    done = list(in_blocks(work, 9, 7))
    assert tried == [(0, 7), (0, 3), (0, 1), *((k, k + 1) for k in range(1, 9))]
    assert [(block.start, block.stop) for block, _ in done] == [(k, k + 1) for k in range(9)]
    assert [result for _, result in done] == list(range(9))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_where_not_even_one_fits_the_error_says_what_would_help(error):
    def work(_block):
        raise error

    with pytest.raises(tam.MapMemoryError, match=r"not enough memory.*free some.*smaller pictures") as caught:
        list(in_blocks(work, 9, 4))
    assert "more" not in str(caught.value)
    assert isinstance(caught.value, MemoryError)


def test_another_error_is_not_taken_for_a_lack_of_memory():
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))

    def work(_block):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        list(in_blocks(work, 9, 4))


def test_a_block_that_failed_is_let_go():
    class Large:
        pass

    seen = []

    def work(block):
        large = Large()
        if seen:
            assert seen[-1]() is None  # nothing of the failed block is in the way of the smaller one
        seen.append(weakref.ref(large))
        if block.stop - block.start > 1:
            raise MemoryError
        return block.start

    assert [result for _, result in in_blocks(work, 2, 2)] == [0, 1]
