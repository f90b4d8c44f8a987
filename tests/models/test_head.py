"""The rows of the output head are right, wherever the head lies and whatever it is made of."""

import pytest
import tiny_models
import torch
from torch import nn

import tam_widget as tam
from tam_widget.models import capture
from tam_widget.models.choices import TOP
from tam_widget.models.head import head_rows
from tam_widget.models.options import check_options

IDS = [3, 250, 17, 300]


def states(count=9, dtype=torch.float32):
    return torch.randn(count, 64, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("tied", [False, True])
def test_rows_times_states_are_the_models_logits(tiny, tied):
    model, _ = tiny(tied=tied)
    rows = head_rows(model, IDS, states())
    assert rows.shape == (4, 64)
    assert not rows.requires_grad
    torch.testing.assert_close(states() @ rows.T, model.lm_head(states())[:, IDS].detach(), atol=1e-5, rtol=1e-5)


def test_rows_are_a_copy(tiny):
    model, _ = tiny()
    rows = head_rows(model, IDS, states())
    before = model.lm_head.weight[3, 0].item()
    rows.zero_()
    assert model.lm_head.weight[3, 0].item() == before


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_rows_keep_their_type(dtype):
    model = tiny_models.build(dtype=dtype)
    rows = head_rows(model, IDS, states(dtype=dtype))
    assert rows.dtype == dtype
    assert torch.equal(rows, model.lm_head.weight[IDS])


@pytest.mark.parametrize("tied", [False, True])
def test_an_offloaded_head_gives_its_weights_and_never_uninitialised_memory(tied):
    accelerate = pytest.importorskip("accelerate")
    model, processor = tiny_models.build(tied=tied), tiny_models.processor()
    expected = model.lm_head.weight[IDS].detach().clone()
    picture = tiny_models.picture(box=(8, 8, 24, 24))
    reference = tam.explain(model, processor, picture, "Describe the image.", max_new_tokens=4)
    accelerate.cpu_offload(model, execution_device="cpu", offload_buffers=True)
    assert model.lm_head.weight.device.type == "meta"
    assert torch.equal(head_rows(model, IDS, states()), expected)
    assert model.lm_head.weight.device.type == "meta"
    ex = tam.explain(model, processor, picture, "Describe the image.", max_new_tokens=4)
    assert ex.answer == reference.answer
    torch.testing.assert_close(torch.tensor(ex.maps().images[0]), torch.tensor(reference.maps().images[0]))


class Int8Head(nn.Module):
    """Weights as a quantised head keeps them: packed integers and scales, floating only inside."""

    def __init__(self, weight, bias=None):
        super().__init__()
        self.scale = weight.abs().amax(dim=1, keepdim=True) / 127
        self.weight = nn.Parameter((weight / self.scale).round().to(torch.int8), requires_grad=False)
        self.bias = bias

    def forward(self, hidden):
        logits = hidden @ (self.weight.float() * self.scale).T
        return logits if self.bias is None else logits + self.bias


@pytest.mark.parametrize("bias", [None, 0.7])
def test_a_quantised_head_is_asked_for_its_columns(bias):
    model = tiny_models.build()
    head = Int8Head(model.lm_head.weight.detach(), bias)
    model.set_output_embeddings(head)
    rows = head_rows(model, IDS, states())
    expected = head(states())[:, IDS] - (bias or 0)
    torch.testing.assert_close(states() @ rows.T, expected, atol=1e-4, rtol=1e-4)


def test_an_explanation_of_a_quantised_model_uses_its_own_scores():
    model, processor = tiny_models.build(), tiny_models.processor()
    head = Int8Head(model.lm_head.weight.detach())
    dequantised = tiny_models.build()
    dequantised.lm_head.weight.data = head.weight.float() * head.scale
    model.set_output_embeddings(head)
    given = {"images": tiny_models.picture(box=(8, 8, 24, 24)), "prompt": "Describe the image.", "max_new_tokens": 4}
    expected = tam.explain(dequantised, processor, **given)
    found = tam.explain(model, processor, **given)
    assert found.answer == expected.answer
    torch.testing.assert_close(
        torch.tensor(found.maps().images[0]), torch.tensor(expected.maps().images[0]), atol=1e-4, rtol=0
    )


def test_a_wrapped_head_is_not_mistaken_for_the_layer_inside():
    class Adapted(nn.Linear):
        """As a LoRA layer: it has the wrapped layer's weight, and says something else."""

        def forward(self, hidden):
            return super().forward(hidden) * 2

    model = tiny_models.build()
    plain = model.lm_head
    head = Adapted(plain.in_features, plain.out_features, bias=False)
    head.weight = plain.weight
    model.set_output_embeddings(head)
    torch.testing.assert_close(head_rows(model, IDS, states()), 2 * plain.weight[IDS].detach(), atol=1e-5, rtol=1e-5)


def test_a_head_that_is_not_linear_is_refused():
    model = tiny_models.build()
    model.set_output_embeddings(nn.Sequential(model.lm_head, nn.Tanh()))
    with pytest.raises(tam.UnsupportedModelError, match="not linear"):
        head_rows(model, IDS, states())


def test_rows_of_a_run_give_the_probabilities_back(any_tiny):
    """Head and states belong together: softmax of all rows' scores is what the candidates say."""
    model, processor = any_tiny
    inputs = tiny_models.prepared(processor, [tiny_models.picture()], "Describe the image.", None).inputs
    run = capture.generate(model, inputs, **check_options(model, processor.tokenizer, 5, {}))
    rows = head_rows(model, range(model.lm_head.out_features), run.states)
    read = run.states[inputs["input_ids"].shape[1] - 1 :]
    top = (read @ rows.T).softmax(dim=-1).topk(TOP, dim=-1)
    assert top.indices.tolist() == run.choices.ids.tolist()
    torch.testing.assert_close(top.values, run.choices.probabilities, atol=1e-5, rtol=0)
