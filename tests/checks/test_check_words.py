"""check(): the model asked again about one word, in every kind of conversation."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import tiny_models
import torch
from explained_scenes import ANSWER, PROMPT, demo_pair, of_case, state_of
from PIL import Image
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.checks.verdict import KINDS

QWEN = CASES[0]


@pytest.fixture(scope="module")
def known():
    """A demo scene and its explanation."""
    scene = tam.demo.scene(7)
    return scene, tam.explain(*demo_pair(), scene.image, "Describe this image.")


def log_probability(ex, tokens):
    """What an explanation says of some of its answer's tokens."""
    chosen = [next(one for one in ex.tokens[token].candidates if one.chosen) for token in tokens]
    return float(np.log([one.probability for one in chosen]).sum())


def two_pictures():
    pictures = [tiny_models.picture(64, 48, box=(8, 8, 24, 24)), tiny_models.picture(48, 64, box=(24, 24, 40, 40))]
    return tam.explain(*QWEN.pair(), pictures, PROMPT, answer=ANSWER), pictures


def film(count=6):
    return [tiny_models.picture(64, 48, box=(8 * k, 8, 8 * k + 16, 24)) for k in range(count)]


def test_the_bars_are_what_the_model_says_of_the_covered_pictures(known):
    _, ex = known
    found = ex.check("blue square")
    tokens = list(found.tokens)
    assert tokens == ex.find("blue square")

    def said(picture):
        return log_probability(tam.explain(*demo_pair(), picture, "Describe this image.", answer=ex.answer), tokens)

    expected = {name: said(picture) for name, picture in found.pictures.items()}
    bars = {
        "original": found.bars.original,
        "place, mean colour": found.bars.place[0],
        "place, blurred": found.bars.place[1],
        "random place, mean colour": found.bars.random[int(found.random.argmax()), 0],
        "everything, mean colour": found.bars.whole[0],
        "everything, blurred": found.bars.whole[1],
    }
    assert bars == pytest.approx(expected, abs=1e-3)
    assert found.bars.random.shape == (8, 2)
    assert found.kind in KINDS


def test_the_place_is_the_map_above_otsus_threshold_and_the_pictures_show_it(known):
    scene, ex = known
    found = ex.check("square")
    heatmap = np.max([ex.heatmap(token) for token in ex.find("square")], axis=0)
    assert heatmap[found.place].min() > heatmap[~found.place].max()
    changed = (np.asarray(found.pictures["place, mean colour"]) != np.asarray(scene.image)).any(axis=-1)
    rows, columns = found.place.shape
    cells = changed.reshape(rows, changed.shape[0] // rows, columns, -1).any(axis=(1, 3))
    assert not (cells & ~found.place).any()
    other = ex.check("square", causal_inference=False, kernel_size=1)
    assert not np.array_equal(other.place, found.place)


def test_the_same_word_has_the_same_verdict_again_and_another_seed_other_places(known):
    _, ex = known
    first, again, other = ex.check("cross"), ex.check(ex.find("cross")), ex.check("cross", seed=1)
    assert repr(first.bars) == repr(again.bars)
    assert first.bars.place == other.bars.place
    assert not all(map(np.array_equal, first.elsewhere, other.elsewhere))


def test_tokens_that_lie_apart_are_read_as_one():
    ex = of_case(QWEN).explanation
    tokens = [*ex.find("red"), *ex.find("circle"), *ex.find("star")]
    found = ex.check(tokens[::-1])
    assert found.tokens == tuple(tokens)
    assert found.text == "red circle … star"
    assert found.bars.original == pytest.approx(log_probability(ex, tokens), abs=1e-3)


def test_the_model_and_the_random_numbers_are_left_as_they_were():
    model, processor = tiny_models.build(), tiny_models.processor()
    ex = tam.explain(model, processor, tiny_models.picture(box=(8, 8, 24, 24)), PROMPT, answer=ANSWER)
    model.train()
    model.model.visual.eval()
    before, torch_state, numpy_state = state_of(model), torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    ex.check("circle")
    assert state_of(model) == before
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state[1])  # noqa: NPY002


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_family_is_asked_again(case):
    ex = of_case(case).explanation
    found = ex.check("circle", model=case.pair()[0], processor=case.pair()[1])
    assert found.bars.original == pytest.approx(log_probability(ex, found.tokens), abs=1e-3)
    assert np.isfinite([*found.bars.whole, *found.bars.random.ravel()]).all()
    assert found.whole.nats != 0  # what is covered reaches the model


def test_several_covered_pictures_at_once_say_what_one_by_one_says():
    ex = of_case(QWEN).explanation
    one, several = ex.check("circle", batch_size=1), ex.check("circle", batch_size=5)
    assert several.bars.original == pytest.approx(one.bars.original, abs=1e-4)
    np.testing.assert_allclose(several.bars.random, one.bars.random, atol=1e-4)


def test_of_several_pictures_the_one_with_the_place_is_covered_and_all_of_them():
    ex, pictures = two_pictures()
    for image in (0, 1):
        found = ex.check("star", image=image)
        shown = [*pictures]
        shown[image] = found.pictures["place, mean colour"]
        again = tam.explain(*QWEN.pair(), shown, PROMPT, answer=ANSWER)
        assert found.bars.place[0] == pytest.approx(log_probability(again, found.tokens), abs=1e-3)
        assert found.place.shape == ex.grids[image]
    grey = [tam.explain(*QWEN.pair(), [mean(one) for one in pictures], PROMPT, answer=ANSWER)]
    assert found.bars.whole[0] == pytest.approx(log_probability(grey[0], found.tokens), abs=1e-3)
    peaks = [max(ex.heatmap(token, image=image).max() for token in found.tokens) for image in (0, 1)]
    assert ex.check("star").image == int(np.argmax(peaks))


def mean(picture):
    colour = np.asarray(picture).reshape(-1, 3).mean(axis=0).round().astype(int)
    return Image.new("RGB", picture.size, tuple(colour.tolist()))


def test_another_picture_in_its_place():
    ex, pictures = two_pictures()
    other = tiny_models.picture(80, 48, colour="blue", box=(0, 0, 40, 40))  # of another size
    found = ex.check("star", image=1, swap=other)
    again = tam.explain(*QWEN.pair(), [pictures[0], other], PROMPT, answer=ANSWER)
    assert found.bars.swapped == pytest.approx(log_probability(again, found.tokens), abs=1e-3)
    assert found.pictures["swapped"].size == (80, 48)
    assert "The other picture" in found.sentence
    with pytest.raises(tam.PictureError, match="say with image= for which one swap= is"):
        ex.check("star", swap=other)


def test_a_video_is_covered_in_all_frames_or_in_one():
    frames = film()
    ex = tam.explain(*QWEN.pair(), video=frames, prompt=PROMPT, answer=ANSWER)
    count = ex.grids[0][0]
    assert count < len(frames)  # frames are merged
    found = ex.check("star")
    covered = found.pictures["place, mean colour"]
    again = tam.explain(*QWEN.pair(), video=list(covered.frames), prompt=PROMPT, answer=ANSWER)
    assert found.bars.place[0] == pytest.approx(log_probability(again, found.tokens), abs=1e-3)
    one = ex.check("star", frames=1)
    assert one.place[1].any()
    assert not one.place[[0, 2]].any()
    same = [a.tobytes() == b.tobytes() for a, b in zip(one.pictures["place, blurred"].frames, frames, strict=True)]
    assert same == [True, True, False, False, True, True]
    with pytest.raises(tam.TokenIndexError, match="frame 3 is out of range: there are 3"):
        ex.check("star", frames=3)
    assert len(one.plot().axes) == 1 + len(one.pictures)


def test_a_word_of_an_earlier_turn():
    messages = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]},
        {"role": "assistant", "content": "A red circle."},
        {"role": "user", "content": "Where is the square?"},
    ]
    picture = tiny_models.picture(box=(8, 8, 24, 24))
    ex = tam.explain(*QWEN.pair(), picture, messages=messages, answer="The circle is left.", system="Say it.")
    first, last = ex.check("circle"), ex.check("circle", occurrence=1)
    assert [ex.tokens[one.tokens[0]].turn for one in (first, last)] == [0, 1]
    for one in (first, last):
        assert one.bars.original == pytest.approx(log_probability(ex, one.tokens), abs=1e-3)
    with pytest.raises(tam.TokenIndexError, match="occurrence 2 is out of range: there are 2"):
        ex.check("circle", occurrence=2)


def test_an_answer_with_control_tokens_in_it_is_read_as_it_was_said():
    model, processor = QWEN.pair()
    picture = tiny_models.picture(box=(8, 8, 24, 24))
    words = processor.tokenizer
    ids = [*words.encode("red"), words.convert_tokens_to_ids("<|vision_end|>"), *words.encode(" star")]
    force = tiny_models.saying(processor, picture, ids, PROMPT)
    ex = tam.explain(model, processor, picture, PROMPT, max_new_tokens=20, logits_processor=force)
    assert "star" in ex.answer
    found = ex.check(ex.words[-1])
    assert found.bars.original == pytest.approx(log_probability(ex, found.tokens), abs=1e-3)


def test_a_deleted_model_is_an_error_that_says_what_to_do():
    model, processor = tiny_models.build(), tiny_models.processor()
    ex = tam.explain(model, processor, tiny_models.picture(box=(8, 8, 24, 24)), PROMPT, answer=ANSWER)
    before = ex.check("star")
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None  # neither the explanation nor the verdict keeps it
    with pytest.raises(tam.ModelGoneError, match=r"the model behind .* is gone, .* check\(\.\.\., model=model\)"):
        ex.check("star")
    again = ex.check("star", model=tiny_models.build())
    assert again.bars.original == pytest.approx(before.bars.original)


def test_a_model_that_was_changed_since_is_noticed(known):
    model = copy.deepcopy(demo_pair()[0])
    with torch.no_grad():
        model.lm_head.weight.mul_(0.2)
    with pytest.raises(tam.LayoutError, match="pass the model and the processor that explain"):
        known[1].check("square", model=model)


def test_a_copy_is_checked_like_the_explanation_one_from_elsewhere_with_its_model():
    model, processor = QWEN.pair()
    ex = of_case(QWEN).explanation
    expected = ex.check("star").bars.original
    assert copy.deepcopy(ex).check("star").bars.original == expected
    far = pickle.loads(pickle.dumps(ex))  # noqa: S301 - our own
    with pytest.raises(tam.ModelGoneError, match="model=model, processor=processor"):
        far.check("star")
    assert far.check("star", model=model, processor=processor).bars.original == pytest.approx(expected)


def test_what_cannot_be_checked_is_refused_before_the_model_runs(monkeypatch):
    ex = of_case(QWEN).explanation
    monkeypatch.setattr(QWEN.pair()[0], "forward", None)
    for what, error, message in (
        ("image", tam.CheckError, "'image' is the prompt's"),
        (0, tam.CheckError, "is the prompt's: the model gave it no probability"),
        ("dog", tam.TokenIndexError, "'dog' does not occur in the answer"),
        (99, tam.TokenIndexError, "token 99 is out of range"),
        ([], tam.TokenIndexError, "no token was given"),
    ):
        with pytest.raises(error, match=message):
            ex.check(what)
    for how, error, message in (
        ({"image": 1}, tam.TokenIndexError, "picture 1 is out of range"),
        ({"frames": 0}, tam.TokenIndexError, "picture 0 is no video: it has no frame 0"),
        ({"swap": 3}, tam.PictureError, "picture"),
        ({"kernel_size": 2}, ValueError, "odd"),
        ({"batch_size": 0}, ValueError, "at least 1"),
    ):
        with pytest.raises(error, match=message):
            ex.check("star", **how)


def test_a_word_before_every_picture_is_refused():
    messages = [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "A red circle."},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "And this?"}]},
    ]
    ex = tam.explain(*QWEN.pair(), tiny_models.picture(), messages=messages, answer="A star.")
    with pytest.raises(tam.CheckError, match="'circle' stands before every picture"):
        ex.check("circle")
