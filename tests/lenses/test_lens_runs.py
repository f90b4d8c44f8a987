"""Contributions are the same in every way of running a model, whatever its cache and its attention do."""

import copy
import sys

import numpy as np
import peft
import pytest
import tiny_models
import torch
from contributions_by_gradient import reference
from explained_scenes import ANSWER, PROMPT, named, state_of
from tiny.case import decoder
from torch import nn
from transformers import GptOssConfig, GraniteConfig, LlavaForConditionalGeneration, Olmo2Config, PhiConfig

import tam_widget as tam
from tam_widget.models.attention import choice
from tam_widget.models.capture import decoder_of
from tam_widget.replay.explained import Explained

PICTURE = tiny_models.picture(64, 48, box=(5, 5, 20, 20))
ALL = ("tam", "contribution", "attention", "attention_mean")


def pair(name):
    return named(name)[0].pair()


def kept(ex, lens="contribution"):
    """What a run kept, by token and class."""
    assert lens in ex.lenses, ex._readings
    found = ex._readings[lens]
    return {key: found.values[row] for key, row in found.row_of.items()}


def assert_same(found, expected, tolerance=1e-4):
    assert found.keys() == expected.keys()
    largest = max(np.nanmax(np.abs(values)) for values in expected.values())
    assert largest > 0
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, atol=tolerance * largest)


def again(model, processor, ex):
    """The same answer's contributions, read in one pass."""
    explained = Explained(model, processor, ex)
    readings = explained.lenses._readings["contribution"]
    return {key: readings.values[row] for key, row in readings.row_of.items()}


def saying(processor, text):
    """Options with which any model says a text; what it says of its own may hold control tokens, which are not kept."""
    ids = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    begun = []

    def force(said, scores):
        begun.append(said.shape[1])
        step = said.shape[1] - begun[0]
        scores[:] = -torch.inf
        scores[:, ids[step] if step < len(ids) else processor.tokenizer.eos_token_id] = 0
        return scores

    return {"max_new_tokens": 40, "logits_processor": [force]}


WAYS = {
    "as usual": {},
    "static": {"cache_implementation": "static"},
    "in chunks": {"prefill_chunk_size": 17},
    "without a cache": {"use_cache": False},
    "beams": {"num_beams": 2},
}
NOT_THEIRS = {  # transformers fails here, or splits a picture whose tokens see each other
    ("llama4", "in chunks"),
    ("llama4", "beams"),
    ("gemma3", "in chunks"),
    ("paligemma (2)", "static"),
    ("paligemma (2)", "in chunks"),
}
SHARING = "gemma4 (layers that share keys)"
FAMILIES = ("qwen2_vl", "qwen3_5", "aya_vision", "llama4", "gemma3", "gemma4", SHARING, "paligemma (2)")


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in FAMILIES for way in WAYS if (name, way) not in NOT_THEIRS]
)
def test_every_way_of_generating_gives_what_one_pass_gives(name, way):
    """Aya Vision's window is 24 tokens: its cache forgets the picture while the answer grows."""
    model, processor = pair(name)
    ex = tam.explain(model, processor, PICTURE, PROMPT, **saying(processor, ANSWER), **WAYS[way])
    assert ex.answer == ANSWER
    assert_same(kept(ex), again(model, processor, ex))


def of_text(**text):
    """A tiny LLaVA with another text decoder, and its processor."""
    _, processor = pair("llava")
    torch.manual_seed(0)
    base = named("llava")[0].build().config
    base.text_config = text.pop("kind")(**{**decoder(processor.tokenizer), **text})
    return LlavaForConditionalGeneration(base).eval(), processor


DECODERS = {
    "multipliers (Granite)": {"kind": GraniteConfig, "residual_multiplier": 0.22, "logits_scaling": 8.0},
    "sinks (gpt-oss)": {
        "kind": GptOssConfig,
        "head_dim": 16,
        "num_local_experts": 2,
        "num_experts_per_tok": 1,
        "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": 24,
    },
    "a norm in front of and behind (OLMo 2)": {"kind": Olmo2Config},
    "both branches at once, partly rotated (Phi)": {"kind": PhiConfig, "partial_rotary_factor": 0.5},
}


@pytest.mark.parametrize("name", DECODERS)
def test_other_text_decoders_too(name):
    model, processor = of_text(**DECODERS[name])
    ex = tam.explain(model, processor, PICTURE, PROMPT, **saying(processor, ANSWER))
    found = kept(ex)
    explained = Explained(model, processor, ex)
    keys = [key for key in found if key[0] in {2, len(ex.tokens) - 1}]
    queries = [(int(explained.reading.read[token]), class_id) for token, class_id in keys]
    expected = reference(model, explained.reading.inputs, queries)[:, torch.from_numpy(explained.reading.vision)]
    assert_same({key: found[key] for key in keys}, dict(zip(keys, expected.numpy(), strict=True)))


@pytest.mark.parametrize("name", ["qwen2_vl", "gemma3"])
def test_the_users_choice_of_attention_computes_and_stays(name):
    model, processor = pair(name)
    model = copy.deepcopy(model)
    expected = kept(tam.explain(model, processor, PICTURE, PROMPT, answer=ANSWER))
    model.set_attn_implementation("eager")
    before, home = state_of(model), sys.modules[type(decoder_of(model)).__module__]
    original, calls = home.eager_attention_forward, []
    home.eager_attention_forward = lambda *args, **kwargs: calls.append(args[0]) or original(*args, **kwargs)
    try:
        ex = tam.explain(model, processor, PICTURE, PROMPT, answer=ANSWER)
    finally:
        home.eager_attention_forward = original
    assert len([one for one in calls if any(one is part for part in decoder_of(model).modules())]) == 2
    assert state_of(model) == before
    assert_same(kept(ex), expected)


def test_a_copy_of_the_configuration_has_the_users_choice():
    named = choice._standing_for("sdpa")
    assert str.__str__(named) != "sdpa"
    assert named == "sdpa"
    assert (named != "sdpa", named != "eager") == (False, True)
    assert type(copy.deepcopy(named)) is str
    assert copy.deepcopy(named) == "sdpa"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_adapted_projection_is_asked_itself():
    model, processor = tiny_models.build(), tiny_models.processor()
    adapted = peft.get_peft_model(model, peft.LoraConfig(target_modules=["o_proj", "v_proj"], lora_dropout=0.5))
    torch.manual_seed(1)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.3)
    adapted.train()  # its dropout would show
    given = {"images": PICTURE, "prompt": PROMPT, "answer": ANSWER}
    found = tam.explain(adapted, processor, **given)
    merged = adapted.merge_and_unload()
    assert_same(kept(found), kept(tam.explain(merged, processor, **given)))
    plain, tuned = kept(tam.explain(tiny_models.build(), processor, **given)), kept(found)
    assert max(np.abs(plain[key] - tuned[key]).max() for key in plain.keys() & tuned.keys()) > 0.01


class Packed(torch.autograd.Function):
    """A product with packed weights whose backward is its own, and takes no batches of gradients at once."""

    @staticmethod
    def forward(context, hidden, packed, scale):
        context.save_for_backward(packed, scale)
        return hidden @ (packed.to(hidden.dtype) * scale).T

    @staticmethod
    def backward(context, gradient):
        packed, scale = context.saved_tensors
        return gradient @ (packed.to(gradient.dtype) * scale), None, None


class Int8Projection(nn.Module):
    """Weights as a quantised layer keeps them: packed integers and scales, no weight to read."""

    def __init__(self, layer):
        super().__init__()
        self.register_buffer("scale", layer.weight.detach().abs().amax(dim=1, keepdim=True) / 127)
        self.register_buffer("packed", (layer.weight.detach() / self.scale).round().to(torch.int8))

    def forward(self, hidden):
        return Packed.apply(hidden, self.packed, self.scale)


def test_a_quantised_projection_and_head_are_asked_themselves():
    model, plain, processor = tiny_models.build(), tiny_models.build(), tiny_models.processor()
    for layer, own in zip(decoder_of(model).layers, decoder_of(plain).layers, strict=True):
        layer.self_attn.o_proj = Int8Projection(layer.self_attn.o_proj)
        own.self_attn.o_proj.weight.data = layer.self_attn.o_proj.packed * layer.self_attn.o_proj.scale
    head = Int8Projection(model.lm_head)
    model.set_output_embeddings(head)
    plain.lm_head.weight.data = head.packed * head.scale
    given = {"images": PICTURE, "prompt": PROMPT, "answer": ANSWER}
    assert_same(kept(tam.explain(model, processor, **given)), kept(tam.explain(plain, processor, **given)))


def test_in_float64_too():
    model, processor = pair("qwen2_vl")
    exact = tam.explain(copy.deepcopy(model).double(), processor, PICTURE, PROMPT, answer=ANSWER)
    assert_same(kept(tam.explain(model, processor, PICTURE, PROMPT, answer=ANSWER)), kept(exact))


@pytest.mark.parametrize("name", ["qwen2_vl", "qwen3_5", "gemma3", "gemma4", "aya_vision", "glm4v"])
def test_in_bfloat16_maps_are_off_by_no_more_than_twice_what_the_states_are(name):
    model, processor = pair(name)
    rounded = copy.deepcopy(model).bfloat16()
    exact, ex = (
        tam.explain(one, processor, PICTURE, PROMPT, answer=ANSWER) for one in (copy.deepcopy(rounded).float(), rounded)
    )
    states, own = exact._activations.states, ex._activations.states.float()
    off = float((own - states).abs().max() / states.abs().max())
    assert 0 < off < 0.3
    found, expected = kept(ex), kept(exact)
    common = found.keys() & expected.keys()  # a candidate that is as likely may take another's place
    assert len(common) > len(expected) // 2
    assert_same({key: found[key] for key in common}, {key: expected[key] for key in common}, tolerance=2 * off)


def test_an_offloaded_model_gives_the_same():
    accelerate = pytest.importorskip("accelerate")
    model, processor = tiny_models.build(), tiny_models.processor()
    given = {"images": PICTURE, "prompt": PROMPT, "answer": ANSWER}
    expected = kept(tam.explain(model, processor, **given))
    accelerate.cpu_offload(model, execution_device="cpu", offload_buffers=True)
    assert decoder_of(model).layers[0].self_attn.o_proj.weight.device.type == "meta"
    assert_same(kept(tam.explain(model, processor, **given)), expected)


def test_several_pictures_a_video_and_turns():
    model, processor = pair("qwen2_vl")
    two = tam.explain(model, processor, [PICTURE, tiny_models.picture(40, 80)], PROMPT, max_new_tokens=4)
    frames = [tiny_models.picture(32, 32, box=(4 * k, 4, 4 * k + 8, 12)) for k in range(4)]
    film = tam.explain(model, processor, video=frames, prompt=PROMPT, fps=2, max_new_tokens=4)
    messages = [
        {"role": "user", "content": [{"type": "image", "image": PICTURE}, {"type": "text", "text": "What color?"}]},
        {"role": "assistant", "content": "A red circle."},
        {"role": "user", "content": "Where is the square?"},
    ]
    turns = tam.explain(model, processor, messages=messages, max_new_tokens=4)
    for ex in (two, film, turns):
        for grid, maps in zip(ex.grids, ex.maps(lens="contribution").images, strict=True):
            assert maps.shape == (len(ex.tokens), *grid)
            assert np.nanmax(maps) > 0
    earlier = next(token for token in turns.tokens if token.role == "answer" and token.turn == 0)
    alone = tam.explain(model, processor, PICTURE, "What color?", answer="A red circle.")
    first = next(token for token in alone.tokens if token.role == "answer")
    np.testing.assert_allclose(
        turns.heatmap(earlier, lens="contribution", part="signed"),
        alone.heatmap(first, lens="contribution", part="signed"),
        atol=1e-5,
    )
