"""What is trained on is what the processors make, and the training computes what transformers computes."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor, AutoTokenizer

from tam_widget.demo.training.families.batch import IGNORED, Batch
from tam_widget.demo.training.families.family import FAMILIES, family_named
from tam_widget.models.own.demo_processors import demo_processor

SYSTEM = "You see coloured shapes."
TURNS = [("What is this?", "A red star."), ("Is it large?", "Yes."), ("Where is the star?", "At the top left.")]
WORDS = ["user assistant system USER ASSISTANT", SYSTEM, *(text for turn in TURNS for text in turn)] * 3


@pytest.fixture(scope="module", params=FAMILIES)
def made(request, tmp_path_factory):
    """A family with its tokenizer, a random model, and the processor that loads from what it saved."""
    return _made(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    return _made("qwen", tmp_path_factory)


def _made(name, tmp_path_factory):
    family = family_named(name)
    tokenizer = family.tokenizer(WORDS, 320)
    torch.manual_seed(0)
    model = family.model(tokenizer).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # as far from zero as trained ones
            if not parameter.requires_grad:  # a tower without norms, whose features would not be finite
                continue
            if parameter.ndim > 1:
                parameter.mul_(4)
            else:
                parameter.add_(0.1 * torch.randn(parameter.shape))
    return family, tokenizer, model, demo_processor(_saved(family, tokenizer, model, tmp_path_factory.mktemp(name)))


def _saved(family, tokenizer, model, folder):
    model.config.save_pretrained(folder)
    family.save_processor(tokenizer, folder)
    return folder


def pictures(shape):
    """Pictures that no processor resizes."""
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def chat(media, turns, system):
    """The same content as messages; the last turn is asked only."""
    first, *rest = turns
    messages = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []
    messages.append({"role": "user", "content": [*media, {"type": "text", "text": first[0]}]})
    for (_, answer), (prompt, _) in zip(turns, rest, strict=False):
        messages.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
        messages.append({"role": "user", "content": [{"type": "text", "text": prompt}]})
    return messages


def encoder(tokenizer):
    return lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]


def batch_of(family, tokenizer, shown, turns, system, *, video=False):
    """Pack one conversation as the training does, up to where the last answer begins."""
    encode = encoder(tokenizer)
    _, grids, _, height, width, _ = shown.shape
    grid = (height // family.cell, width // family.cell)
    opening = family.opening(encode, pictures=grids, video=video, grid=grid, system=system)
    ids = list(opening.ids)
    for number, (prompt, answer) in enumerate(turns):
        ids += encode(family.asked(prompt, first=number == 0))
        if number < len(turns) - 1:
            ids += encode(answer) + encode(family.end)
    after = len(ids) - len(opening.ids)
    segments = [0] * len(opening.ids) + [1] * after
    places = np.concatenate([opening.places, np.tile(opening.next_place + np.arange(after), (3, 1))], axis=1)
    return Batch(
        pictures=torch.from_numpy(shown),
        grid=grid,
        ids=torch.tensor([ids]).expand(len(shown), -1),
        labels=torch.full((len(shown), len(ids)), IGNORED),
        segments=torch.tensor([segments]).expand(len(shown), -1),
        places=torch.from_numpy(places)[:, None].expand(-1, len(shown), -1),
        image_at=torch.from_numpy(opening.image_at),
        present=torch.zeros(len(shown), 0),
    )


def through_the_processor(processor, shown, turns, system, *, video=False):
    """One sample's inputs as a chat that the processor is given."""
    media = [{"type": "video"}] if video else [{"type": "image"}] * len(shown)
    text = processor.apply_chat_template(chat(media, turns, system), tokenize=False, add_generation_prompt=True)
    if video:
        return processor(text=[text], videos=[shown.reshape(-1, *shown.shape[2:])], return_tensors="pt")
    return processor(text=[text], images=[Image.fromarray(one[0]) for one in shown], return_tensors="pt")


def holds(made, shape, turns, system, *, video=False):
    """Hold ids, positions and hidden states of a batch to what processor and transformers make of each sample."""
    family, tokenizer, model, processor = made
    shown = pictures(shape)
    batch = batch_of(family, tokenizer, shown, turns, system, video=video)
    with torch.no_grad():
        hidden, head = family.forward(model, torch.float32)(batch)
    assert torch.equal(head, model.get_output_embeddings().weight)
    for number, sample in enumerate(shown):
        inputs = through_the_processor(processor, sample, turns, system, video=video)
        assert tokenizer.decode(batch.ids[number]) == tokenizer.decode(inputs["input_ids"][0])
        assert torch.equal(batch.ids[number], inputs["input_ids"][0])
        token = model.config.video_token_id if video else model.config.image_token_id
        assert torch.equal(batch.image_at, (batch.ids[number] == token).nonzero()[:, 0])
        if family.name == "qwen":
            grids = {name: value for name, value in inputs.items() if name.endswith("grid_thw")}
            where, _ = model.model.get_rope_index(inputs["input_ids"], inputs["mm_token_type_ids"], **grids)
        else:
            where = torch.arange(len(batch.ids[number])).expand(3, 1, -1)
        assert torch.equal(batch.places[:, number], where[:, 0])
        with torch.no_grad():
            expected = model.model(**inputs).last_hidden_state
        torch.testing.assert_close(hidden[number], expected[0], atol=1e-4, rtol=0)


def test_the_tokenizer_comes_back_the_same(made, tmp_path):
    family, tokenizer, model, _ = made
    again = AutoTokenizer.from_pretrained(_saved(family, tokenizer, model, tmp_path))
    assert again.get_vocab() == tokenizer.get_vocab()
    assert again.chat_template == tokenizer.chat_template
    assert again.eos_token == family.end
    assert set(family.special_tokens) <= set(again.all_special_tokens)
    for text in ("What is this?", "A zebra — größe 斑马 🦓?\n\n 12.", "red star" + family.end):
        assert again(text)["input_ids"] == encoder(tokenizer)(text)
        assert again.decode(again(text)["input_ids"]) == text
    assert len(encoder(tokenizer)(" star")) == 1


def test_the_saved_folder_also_opens_with_transformers_alone(made, tmp_path):
    """Its own classes, which need torchvision, make the same of pictures and videos that are not resized."""
    family, tokenizer, model, processor = made
    theirs = AutoProcessor.from_pretrained(_saved(family, tokenizer, model, tmp_path))
    forms = [((1, 1, 224, 224, 3), False)]
    if family.name == "qwen":
        forms += [((2, 1, 196, 224, 3), False), ((4, 2, 98, 112, 3), True)]
    for shape, video in forms:
        ours, expected = (
            through_the_processor(one, pictures(shape), TURNS, SYSTEM, video=video) for one in (processor, theirs)
        )
        assert ours.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(ours[name], value, atol=1e-5, rtol=0)


@pytest.mark.parametrize("system", [None, SYSTEM])
@pytest.mark.parametrize("turns", [TURNS[:1], TURNS])
def test_one_picture(made, turns, system):
    holds(made, (2, 1, 1, 224, 224, 3), turns, system)


def test_one_picture_that_is_not_square(qwen):
    holds(qwen, (2, 1, 1, 168, 252, 3), TURNS, None)


@pytest.mark.parametrize("system", [None, SYSTEM])
def test_two_pictures(qwen, system):
    holds(qwen, (2, 2, 1, 196, 224, 3), TURNS, system)


@pytest.mark.parametrize("system", [None, SYSTEM])
def test_a_video(qwen, system):
    holds(qwen, (2, 4, 2, 98, 112, 3), TURNS, system, video=True)


def test_a_long_video(qwen):
    """More groups in time than the grid is wide: the positions in time pass those of the text that follows."""
    holds(qwen, (1, 11, 2, 98, 98, 3), TURNS[:1], None, video=True)


def test_grids_do_not_see_each_other_but_the_text_sees_all(qwen):
    family, tokenizer, model, _ = qwen
    shown = pictures((1, 2, 1, 56, 56, 3))
    before = batch_of(family, tokenizer, shown, TURNS[:1], None)
    after = batch_of(family, tokenizer, shown.copy(), TURNS[:1], None)
    after.pictures[0, 1] = 255 - after.pictures[0, 1]
    forward = family.forward(model, torch.float32)
    with torch.no_grad():
        one, two = forward(before)[0][0], forward(after)[0][0]
    first = before.image_at[:16]
    assert torch.equal(one[first], two[first])
    assert not torch.isclose(one[-1], two[-1]).all()


def test_segments_do_not_see_each_other(made):
    """Changing one question's text changes no state of another question about the same picture."""
    family, tokenizer, model, _ = made
    batch = batch_of(family, tokenizer, pictures((1, 1, 1, 224, 224, 3)), TURNS, None)
    last = batch.segments.shape[1] - 6
    batch.segments = batch.segments.clone()
    batch.segments[:, last:] = 2
    batch.ids = batch.ids.clone()
    forward = family.forward(model, torch.float32)
    with torch.no_grad():
        before, _ = forward(batch)
        first = batch.segments == 1
        batch.ids[first] = batch.ids[first].flip(0)
        after, _ = forward(batch)
    assert (before[first] != after[first]).any()
    assert torch.equal(before[~first], after[~first])


def test_every_parameter_that_transformers_uses_learns(made):
    family, tokenizer, model, _ = made
    batch = batch_of(family, tokenizer, pictures((1, 1, 1, 224, 224, 3)), TURNS, None)
    hidden, head = family.forward(model, torch.float32)(batch)
    (hidden @ head.T).square().mean().backward()
    idle = {name for name, weight in model.named_parameters() if weight.grad is None and weight.requires_grad}
    model.zero_grad(set_to_none=True)
    assert {name for name in idle if "post_layernorm" not in name} == set()  # CLIP's last norm is for its class token


def test_bfloat16_is_near(made):
    family, tokenizer, model, _ = made
    batch = batch_of(family, tokenizer, pictures((1, 1, 1, 224, 224, 3)), TURNS, None)
    with torch.no_grad():
        exact, fast = (family.forward(model, dtype)(batch)[0].float() for dtype in (torch.float32, torch.bfloat16))
    assert torch.nn.functional.cosine_similarity(exact, fast, dim=-1).min() > 0.98
