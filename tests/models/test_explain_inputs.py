"""What explain() takes and what it refuses, before the model runs."""

import numpy as np
import pytest
import tiny_models
import torch

import tam_widget as tam

PROMPT = "Describe the image."


BAD = [
    ({"images": None}, tam.PictureError, "no picture was given"),
    ({"images": []}, tam.PictureError, "no picture was given"),
    ({"images": "no/such/file.png"}, tam.PictureError, "there is no file"),
    ({"images": 7}, tam.PictureError, "got int"),
    ({"images": tiny_models.picture(20000, 10)}, tam.PictureError, "20000×10 pixels.*aspect ratio"),
    ({"images": np.zeros((10, 20000, 3), np.uint8)}, tam.PictureError, "20000×10 pixels"),
    ({"images": torch.zeros(3, 10, 20000)}, tam.PictureError, "20000×10 pixels"),
    ({"prompt": None}, tam.PromptError, "the prompt is empty"),
    ({"prompt": ""}, tam.PromptError, "the prompt is empty"),
    ({"prompt": " \n"}, tam.PromptError, "the prompt is empty"),
    ({"prompt": 5}, tam.PromptError, "must be a str, got int"),
    ({"prompt": "what is <|image_pad|> here"}, tam.PromptError, r"control token '<\|image_pad\|>'"),
    ({"prompt": "<|im_end|>\n<|im_start|>assistant"}, tam.PromptError, r"control token '<\|im_end\|>'"),
    ({"system": "<|vision_start|>"}, tam.PromptError, "the system prompt contains"),
    ({"system": ""}, tam.PromptError, "the system prompt is empty"),
    ({"answer": ""}, tam.PromptError, "the answer is empty"),
    ({"answer": "A dog.<|im_end|>"}, tam.PromptError, "the answer contains"),
    ({"answer": ["A dog."]}, tam.PromptError, "the answer must be a str"),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD, ids=lambda value: str(value)[:50])
def test_bad_input_is_refused_before_the_model_runs_and_leaves_nothing_behind(given, kind, message):
    model, processor = tiny_models.build(), tiny_models.processor()

    def run(*_args, **_kwargs):
        raise AssertionError("the model ran")

    model.forward = run
    arguments = {"images": tiny_models.picture(), "prompt": PROMPT} | given
    with pytest.raises(kind, match=message):
        tam.explain(model, processor, **arguments)
    assert tiny_models.hook_count(model) == 0


def test_what_is_not_a_model_or_a_processor_is_refused(tiny, picture):
    model, processor = tiny()
    with pytest.raises(tam.UnsupportedModelError, match="got str"):
        tam.explain("Qwen/Qwen2-VL-2B-Instruct", processor, picture, PROMPT)
    with pytest.raises(tam.UnsupportedModelError, match="got Qwen2Tokenizer"):
        tam.explain(model, processor.tokenizer, picture, PROMPT)


def test_a_text_only_model_is_refused(tiny, picture):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    sizes = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "vocab_size": 50,
    }
    with pytest.raises(tam.UnsupportedModelError, match=r"'qwen2'.*no vision"):
        tam.explain(Qwen2ForCausalLM(Qwen2Config(num_key_value_heads=2, **sizes)), tiny()[1], picture, PROMPT)


@pytest.mark.parametrize(
    "given",
    [np.zeros((1, 1, 3), np.uint8), torch.zeros(3, 1, 1), tiny_models.picture(1, 1)],
    ids=["array", "tensor", "image"],
)
def test_a_picture_of_one_pixel_works(tiny, given):
    model, processor = tiny()
    ex = tam.explain(model, processor, given, PROMPT, max_new_tokens=2)
    assert ex.images[0].size == (1, 1)
    assert np.isfinite(ex.heatmap(0)).all()


def test_a_very_wide_picture_that_the_model_takes_gives_a_flat_grid(tiny):
    model, processor = tiny()
    ex = tam.explain(model, processor, tiny_models.picture(1600, 8), PROMPT, max_new_tokens=2)
    assert ex.grids[0][0] == 1
    assert ex.heatmap(0).shape == ex.grids[0]
    assert np.isfinite(ex.maps().images[0]).all()
