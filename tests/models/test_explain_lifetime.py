"""What an explanation holds and leaves alone: memory, the model, threads."""

import gc
import threading
import weakref

import numpy as np
import tiny_models
import torch

import tam_widget as tam

PROMPT = "Describe the image."


def test_deleting_an_explanation_frees_its_states(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    ex.heatmap(1)
    kept = [weakref.ref(ex._bank._activations.states), weakref.ref(ex._bank._activations.rows)]
    assert kept[0]() is not None
    del ex
    assert kept[0]() is None  # by reference count alone: no cycle keeps device memory until a collection
    gc.collect()
    assert kept[1]() is None


def test_an_explanation_keeps_neither_the_model_nor_its_processor(picture):
    model, processor = tiny_models.build(), tiny_models.processor()
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    gone = [weakref.ref(model), weakref.ref(processor)]
    del model, processor
    gc.collect()
    assert [one() for one in gone] == [None, None]
    assert ex.heatmap(0).shape == (6, 8)


def test_maps_may_be_asked_for_from_many_threads_whatever_their_grad_mode(tiny, picture):
    model, processor = tiny()
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=6)
    expected = tam.explain(model, processor, picture, PROMPT, max_new_tokens=6).maps().images[0]
    found, errors = {}, []

    def ask(index):
        try:
            with torch.enable_grad():
                found[index] = ex.heatmap(index)
                ex.heatmap(len(ex.tokens) - 1, candidate=index % 5)
        except Exception as error:  # noqa: BLE001 - reported by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(token.index,)) for token in ex.tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for index, heatmap in found.items():
        np.testing.assert_array_equal(heatmap, expected[index])


def test_the_model_works_as_before(tiny, picture):
    model, processor = tiny()
    inputs = processor(
        text=["<|vision_start|><|image_pad|><|vision_end|>Describe"], images=[picture], return_tensors="pt"
    )
    with torch.no_grad():
        before = model(**inputs).logits
    tam.explain(model, processor, picture, PROMPT, max_new_tokens=3)
    with torch.no_grad():
        after = model(**inputs).logits
    assert torch.equal(before, after)
