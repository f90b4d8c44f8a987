"""The training code computes what transformers computes, and goes on exactly where it stopped."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

import tam_widget.demo
from tam_widget.demo.drawing import place
from tam_widget.demo.training.architecture import build_model
from tam_widget.demo.training.forward import BatchedForward
from tam_widget.demo.training.loop import Recipe, Run
from tam_widget.demo.training.losses import _matting_laplacian, losses
from tam_widget.demo.training.sequences import IGNORED, Vocabulary, make_batch, training_batch
from tam_widget.demo.training.tokenizer import SPLIT_WORDS, build_tokenizer

MODEL = Path(tam_widget.demo.__file__).parent / "model"


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


@pytest.fixture(scope="module")
def vocabulary(tokenizer):
    return Vocabulary(tokenizer)


def test_the_tokenizer_is_the_same_every_time(tokenizer):
    assert build_tokenizer().get_vocab() == tokenizer.get_vocab()


def test_the_shipped_tokenizer_is_the_one_that_is_built(tokenizer):
    shipped = AutoTokenizer.from_pretrained(MODEL)
    assert shipped.get_vocab() == tokenizer.get_vocab()
    assert shipped.chat_template == tokenizer.chat_template
    text = "How many purple triangles are at the bottom, and is there a zebra?"
    assert shipped(text)["input_ids"] == tokenizer(text)["input_ids"]


@pytest.mark.parametrize("word", SPLIT_WORDS)
def test_some_words_have_several_tokens(tokenizer, word):
    assert tokenizer.tokenize(f"is {word}.")[1:-1] == ["Ġ" + SPLIT_WORDS[word][0], SPLIT_WORDS[word][1]]


def test_any_text_round_trips(tokenizer):
    text = "A zebra — größe 斑马 🦓?"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_batched_forward_equals_transformers(tokenizer, vocabulary):
    torch.manual_seed(0)
    model = build_model(tokenizer).eval()
    rng = np.random.default_rng(0)
    batch = make_batch(vocabulary, [place(rng, 224, 168) for _ in range(3)], rng, chained=True, system=True)
    rows, columns = batch.grid
    frames = batch.pixels.reshape(-1, 3, 1, 49).expand(-1, 3, 2, 49).reshape(-1, 3 * 2 * 49)
    attended = batch.segments >= 0
    with torch.no_grad():
        hidden, _ = BatchedForward(model, torch.float32)(batch)
        expected = model.model(
            input_ids=batch.ids,
            attention_mask=attended.long(),
            pixel_values=frames,
            image_grid_thw=torch.tensor([[1, 2 * rows, 2 * columns]] * 3),
            mm_token_type_ids=(batch.ids == vocabulary.image).int(),
        ).last_hidden_state
    torch.testing.assert_close(hidden[attended], expected[attended], atol=2e-5, rtol=0)


def test_packed_questions_do_not_see_each_other(tokenizer, vocabulary):
    """Changing one question's text changes no state of another question about the same picture."""
    torch.manual_seed(0)
    model = build_model(tokenizer).eval()
    rng = np.random.default_rng(1)
    batch = make_batch(vocabulary, [place(rng, 112, 112)], rng)
    forward = BatchedForward(model, torch.float32)
    with torch.no_grad():
        before, _ = forward(batch)
        first = batch.segments == 1
        batch.ids[first] = batch.ids[first].flip(0)
        after, _ = forward(batch)
    assert (before[first] != after[first]).any()
    torch.testing.assert_close(before[~first & (batch.segments >= 0)], after[~first & (batch.segments >= 0)])


def test_labels_are_the_answers(tokenizer, vocabulary):
    batch = training_batch(vocabulary, 0, 3, 0.9, 4)
    for picture in range(4):
        told = tokenizer.decode(batch.labels[picture][batch.labels[picture] != IGNORED])
        assert told.endswith(".<|im_end|>")
        assert "?" not in told


def test_presence_is_what_the_caption_says(tokenizer, vocabulary):
    rng = np.random.default_rng(5)
    placements = [place(rng, 224, 224) for _ in range(6)]
    batch = make_batch(vocabulary, placements, rng)
    for placement, present in zip(placements, batch.present, strict=True):
        said = {word for item in placement.items for word in item.name.split()}
        for words, true in zip(vocabulary.grounded.values(), present, strict=True):
            singular = {word for word in words if not word.endswith("s") or word == "cross"}
            if singular:
                assert bool(true) == (not singular.isdisjoint(said))


def test_a_batch_depends_on_its_step_alone(vocabulary):
    first, again, other = (training_batch(vocabulary, 0, step, 0.1, 2) for step in (5, 5, 6))
    assert torch.equal(first.ids, again.ids)
    assert torch.equal(first.pixels, again.pixels)
    assert first.ids.shape != other.ids.shape or not torch.equal(first.ids, other.ids)


def test_losses_fall_when_answers_are_right(tokenizer, vocabulary):
    batch = training_batch(vocabulary, 0, 1, 0.1, 2)
    grounded = torch.tensor(list(vocabulary.grounded))
    width = len(tokenizer)
    head = torch.eye(width)
    hidden = torch.zeros(*batch.ids.shape, width)
    blank = losses(hidden, head, batch, grounded, torch.Generator().manual_seed(0))
    answers = torch.nn.functional.one_hot(batch.labels[:, 1:].clamp(min=0), width).float()
    hidden[:, :-1] += 20 * answers * (batch.labels[:, 1:] != IGNORED)[..., None]
    right = losses(hidden, head, batch, grounded, torch.Generator().manual_seed(0))
    assert right["accuracy"] == 1
    assert right["answers"] < 1e-3 < blank["answers"]


def test_a_run_goes_on_exactly_where_it_stopped(tmp_path):
    recipe = Recipe(steps=4, settling=2, batch_size=2)
    whole = Run(tmp_path / "whole", recipe)
    whole.train(save_every=4, check_every=100)
    halves = Run(tmp_path / "halves", recipe)
    halves.train(until=2, check_every=100)
    resumed = Run(tmp_path / "halves", recipe)
    assert resumed.step == 2
    resumed.train(check_every=100)
    for (name, one), two in zip(whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(one, two), name
    with pytest.raises(ValueError, match="another recipe"):
        Run(tmp_path / "whole", Recipe(steps=5, batch_size=2))


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
