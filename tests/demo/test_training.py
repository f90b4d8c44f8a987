"""The training's batches say what is true, its losses fall for what is right, and it goes on where it stopped."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

import tam_widget
from tam_widget.demo.scenery.language import caption
from tam_widget.demo.scenery.staging import KINDS
from tam_widget.demo.scenery.things.catalogue import THINGS
from tam_widget.demo.scenery.truth import GROUNDED
from tam_widget.demo.training.corpus import SPLIT_WORDS, build_tokenizer
from tam_widget.demo.training.curriculum import Curriculum
from tam_widget.demo.training.families.batch import IGNORED
from tam_widget.demo.training.families.family import FAMILIES, family_named
from tam_widget.demo.training.grounding import CaptionWords, TrueWords
from tam_widget.demo.training.kept_scenes import KeptScenes
from tam_widget.demo.training.loop import Run, _optimizers
from tam_widget.demo.training.losses import _matting_laplacian, losses
from tam_widget.demo.training.recipes import RECIPES, Recipe
from tam_widget.demo.training.sequences import Maker, encoder, training_batch
from tam_widget.models.load import _load_demo

MODELS = Path(tam_widget.demo.__file__).parent / "models"
QWEN = family_named("qwen")


@functools.cache
def tokenizer_of(family):
    return build_tokenizer(family_named(family), things=family == "lite")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of("qwen")


@pytest.fixture(scope="module")
def maker(tokenizer):
    encode = encoder(tokenizer)
    return Maker(QWEN, encode, TrueWords(encode))


def batch_of(maker, kind, step, *, size=4):
    return training_batch(maker, Curriculum(shares=((kind, 1.0),)), 0, step, 0.9, size)


def test_the_tokenizer_is_the_same_every_time(tokenizer):
    assert build_tokenizer(QWEN).get_vocab() == tokenizer.get_vocab()


@pytest.mark.parametrize("name", sorted(folder.name for folder in MODELS.iterdir()))
def test_the_shipped_tokenizers_are_the_ones_that_are_built(name):
    built, shipped = tokenizer_of(RECIPES[name].family), AutoTokenizer.from_pretrained(MODELS / name)
    assert shipped.get_vocab() == built.get_vocab()
    assert shipped.chat_template == built.chat_template
    text = "How many purple triangles are at the bottom, and is there a zebra?"
    assert shipped(text)["input_ids"] == built(text)["input_ids"]


@pytest.mark.parametrize(
    ("family", "word"),
    [
        (family, word)
        for family in FAMILIES
        for word in SPLIT_WORDS
        if word == "bottom" or word in (THINGS if family == "lite" else GROUNDED)
    ],
)
def test_some_words_have_several_tokens(family, word):
    made = tokenizer_of(family)
    head, tail = SPLIT_WORDS[word]
    pieces = [made.decode([token]) for token in made(f" {word}.", add_special_tokens=False)["input_ids"]]
    assert pieces == [" " + head, tail, "."]


def test_every_other_grounded_word_is_one_token(maker):
    assert {word for words in maker.grounding.words.values() for word in words} == set(GROUNDED)
    split = {word for word in GROUNDED if sum(word in words for words in maker.grounding.words.values()) > 1}
    assert split == {"triangle", "triangles", "purple", "bottom"}


def test_any_text_round_trips(tokenizer):
    text = "A zebra — größe 斑马 🦓?"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_the_answers(tokenizer, maker, kind):
    for step in range(3):
        batch = batch_of(maker, kind, step)
        for labels, ids in zip(batch.labels, batch.ids, strict=True):
            told = tokenizer.decode(labels[labels != IGNORED])
            assert told.endswith(".<|im_end|>")
            assert "?" not in told
            assert torch.equal(labels[labels != IGNORED], ids[labels != IGNORED])


@pytest.mark.parametrize(
    ("kind", "grids", "frames", "cells"),
    [("objects", 1, 1, None), ("overlap", 1, 1, None), ("pair", 2, 1, (14, 14)), ("moving", 4, 2, (10, 10))],
)
def test_media_have_the_form_of_their_kind(maker, kind, grids, frames, cells):
    batch = batch_of(maker, kind, 0)
    assert batch.pictures.shape[1:3] == (grids, frames)
    assert batch.pictures.shape[3:5] == (14 * batch.grid[0], 14 * batch.grid[1])
    assert cells in {None, batch.grid}
    assert batch.image_at.shape == (grids * batch.grid[0] * batch.grid[1],)
    assert batch.present.shape == (len(batch.ids), grids, len(maker.grounding.tokens))


def test_presence_is_known_by_the_grid(tokenizer, maker):
    """The words of a film's caption are true of its last frames; what happens is not yet known in the first."""
    batch = batch_of(maker, "moving", 1, size=8)
    tokens = [tokenizer.decode([token]).strip() for token in maker.grounding.tokens]
    for labels, present in zip(batch.labels, batch.present, strict=True):
        told = tokenizer.decode(labels[labels != IGNORED])
        first, last = (dict(zip(tokens, grid.tolist(), strict=True)) for grid in (present[0], present[-1]))
        for word in ("moves", "grows", "shrinks"):
            assert np.isnan(first[word])
            assert last[word] == (f" {word}" in told)
        for colour in ("red", "blue", "green"):
            assert {0.0, 1.0} >= {first[colour], last[colour]}
            assert not last[colour] or f" {colour}" in told


def test_a_caption_s_words_are_true_of_its_picture(tokenizer):
    encode = encoder(tokenizer)
    curriculum = Curriculum(shares=(("overlap", 1.0),), adjectives=0.0)
    grounding = CaptionWords(encode, curriculum)
    tokens = [tokenizer.decode([token]) for token in grounding.tokens]
    assert {" star", " is", " on", " of", "A"} <= set(tokens)
    assert " red" not in tokens
    (staging,) = curriculum.draw(np.random.default_rng(0), 1.0, 1)
    present = grounding.present(staging, 0, (0,))
    true = {token for token, there in zip(tokens, present, strict=True) if there}
    assert true == {tokenizer.decode([token]) for token in encode(caption(staging, adjectives=False))}


def test_a_batch_depends_on_its_step_alone(maker):
    first, again, other = (training_batch(maker, Curriculum(), 0, step, 0.1, 2) for step in (5, 5, 6))
    for name in ("pictures", "ids", "labels", "segments", "places", "image_at"):
        assert torch.equal(getattr(first, name), getattr(again, name)), name
    assert first.ids.shape != other.ids.shape or not torch.equal(first.ids, other.ids)


def test_a_run_begins_with_small_canvases_where_the_family_takes_them():
    rng = np.random.default_rng(0)
    sides = [Curriculum().draw(rng, progress, 1)[0].first.width for progress in (0.0, 0.9) for _ in range(30)]
    assert np.mean(np.array(sides[:30]) < 130) > 0.6
    assert min(sides[30:]) > 130
    fixed = Curriculum(shares=(("objects", 1.0),), small=0.0, resizes=False)
    assert {fixed.draw(rng, 0.0, 1)[0].first.width for _ in range(20)} == {224}


@pytest.mark.parametrize("name", ["qwen", "llava"])
def test_a_run_has_a_reading_lesson(name):
    curriculum = RECIPES[name].curriculum
    begin, end = curriculum.reading

    def signs(progress):
        rng = np.random.default_rng(4)
        return np.mean([curriculum.draw(rng, progress, 2)[0].kind == "text" for _ in range(100)])

    assert signs((begin + end) / 2) > 0.6
    assert max(signs(begin - 0.01), signs(end)) < 0.3


def test_losses_fall_when_answers_are_right(tokenizer, maker):
    batch = batch_of(maker, "pair", 1)
    grounded = torch.tensor(maker.grounding.tokens)
    width = len(tokenizer)
    head = torch.eye(width)
    hidden = torch.zeros(*batch.ids.shape, width)
    blank = losses(hidden, head, batch, grounded, torch.Generator().manual_seed(0))
    answers = torch.nn.functional.one_hot(batch.labels[:, 1:].clamp(min=0), width).float()
    hidden[:, :-1] += 20 * answers * (batch.labels[:, 1:] != IGNORED)[..., None]
    right = losses(hidden, head, batch, grounded, torch.Generator().manual_seed(0))
    assert right["accuracy"] == 1
    assert right["answers"] < 1e-3 < blank["answers"]


def test_presence_is_asked_for_where_it_is_known(maker):
    batch = batch_of(maker, "moving", 0, size=2)
    grounded = torch.tensor(maker.grounding.tokens)
    head = torch.randn(700, 8, generator=torch.Generator().manual_seed(0))
    hidden = torch.randn(*batch.ids.shape, 8, generator=torch.Generator().manual_seed(1), requires_grad=True)
    parts = losses(hidden, head, batch, grounded, torch.Generator().manual_seed(0))
    assert all(torch.isfinite(value) for value in parts.values())
    batch.present[:] = float("nan")
    blind = losses(hidden, head, batch, grounded, torch.Generator().manual_seed(0))
    assert blind["presence"] == 0 < parts["presence"]
    (gradient,) = torch.autograd.grad(parts["presence"], hidden)
    outside = torch.ones(hidden.shape[1], dtype=torch.bool)
    outside[batch.image_at] = False
    assert gradient[:, ~outside].abs().sum() > 0 == gradient[:, outside].abs().sum()


@pytest.mark.parametrize("family", FAMILIES)
def test_embeddings_are_not_orthogonalised(family):
    model = family_named(family).model(tokenizer_of(family))
    muon, adam = _optimizers(model, Recipe())
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    matrices = {names[id(parameter)] for parameter in muon.param_groups[0]["params"]}
    assert matrices
    assert not [name for name in matrices if "embed" in name]
    learning = sum(parameter.requires_grad for parameter in model.parameters())
    assert len(matrices) + len(adam.param_groups[0]["params"]) == learning


def test_a_run_goes_on_exactly_where_it_stopped(tmp_path):
    curriculum = Curriculum(shares=(("moving", 0.5), ("text", 0.5)))
    recipe = Recipe(steps=4, settling=2, batch_size=2, curriculum=curriculum)
    whole = Run(tmp_path / "whole", recipe)
    whole.train(save_every=4, check_every=100)
    halves = Run(tmp_path / "halves", recipe)
    halves.train(until=2, check_every=100)
    resumed = Run(tmp_path / "halves", recipe)
    assert resumed.step == 2
    resumed.train(check_every=100, keep_every=4)
    for (name, one), two in zip(whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(one, two), name
    kept = torch.load(tmp_path / "halves" / "weights" / "00004.pt", weights_only=True)
    assert all(torch.equal(value, resumed.model.state_dict()[name].half()) for name, value in kept.items())
    assert sorted(path.stem for path in (tmp_path / "halves" / "weights").iterdir()) == ["00000", "00004"]
    with pytest.raises(ValueError, match="another recipe"):
        Run(tmp_path / "whole", replace(recipe, steps=5))


def test_a_run_may_start_from_a_demo(tmp_path):
    shipped, _ = tam_widget.load_demo("qwen")
    started = Run(tmp_path, RECIPES["noisy"]).model
    for (name, one), two in zip(shipped.state_dict().items(), started.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


def test_llava_refuses_another_size_of_pictures(tmp_path):
    with pytest.raises(ValueError, match="224×224 pixels, not of 336×336"):
        family_named("llava").save_processor(tokenizer_of("llava"), tmp_path, side=336)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_checks_and_exports_a_demo(tmp_path, name):
    """A few steps of each recipe: every kind of scene passes, and what comes out loads and answers."""
    recipe = replace(RECIPES[name], steps=2, settling=1, batch_size=2)
    if isinstance(recipe.curriculum, KeptScenes):
        recipe = replace(recipe, curriculum=KeptScenes(count=12, checked=4))
    run = Run(tmp_path / "run", recipe)
    run.train(save_every=10, check_every=10)
    right = run.check(scenes=2)["right"]
    assert {label.split()[0] for label in right} == {kind for kind, _ in recipe.curriculum.shares}
    assert all(0 <= share <= 1 for share in right.values())
    run.export(tmp_path / "model")
    model, processor = _load_demo(tmp_path, "model")
    scene = tam_widget.demo.scene(3)
    ex = tam_widget.explain(model, processor, scene.image, "What shape is it?", answer="It is a star.")
    side = (recipe.curriculum.side if isinstance(recipe.curriculum, Curriculum) else 224) // run.family.cell
    assert ex.heatmap(ex.find("star")[0]).shape == (side, side)


def test_the_matting_laplacian_asks_for_values_that_mix_as_colours_do():
    chance = torch.Generator().manual_seed(0)
    colour = torch.rand(2, 8 * 6, 3, generator=chance)
    laplacian = _matting_laplacian(colour, (8, 6))

    def roughness(values):
        return torch.einsum("bn,bnm,bm->b", values, laplacian, values)

    assert torch.allclose(laplacian, laplacian.transpose(1, 2), atol=1e-6)
    assert torch.linalg.eigvalsh(laplacian.double()).min() > -1e-6
    assert roughness(torch.ones(2, 48)).abs().max() < 1e-5
    affine = colour @ torch.tensor([0.3, -1.0, 2.0]) + 0.5
    noise = torch.rand(2, 48, generator=chance)
    assert (roughness(affine) < 0.05 * roughness(noise)).all()


def test_the_rate_falls_and_starts_again_to_settle():
    recipe = Recipe()
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    assert max(rates) == pytest.approx(recipe.learning_rate, rel=0.01)
    assert rates[recipe.learning - 1] < 0.03 * recipe.learning_rate
    assert max(rates[recipe.learning :]) == pytest.approx(recipe.learning_rate / 4, rel=0.1)
    assert recipe.weights_at(recipe.learning - 1).matting == 0 < recipe.weights_at(recipe.learning).matting
