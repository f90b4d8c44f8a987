"""Contributions by another way: eager attention in float64, differentiated by a factor on each position's values.

Here every family's norms and parts are named; the package finds them by itself. What is not on the direct path from
attention to the last hidden state is detached.
"""

import copy
import sys
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
from torch import nn

from tam_widget.models import capture

BEHIND_ATTENTION = {
    "Gemma2": "post_attention_layernorm",
    "Gemma3": "post_attention_layernorm",
    "Gemma4": "post_attention_layernorm",
    "Exaone4": "post_attention_layernorm",
    "Glm4v": "post_self_attn_layernorm",
    "GlmOcr": "post_self_attn_layernorm",
    "HyperCLOVAX": "post_norm1",
    "Lfm3": "post_operator_norm",
    "MuseGlimmer": "post_attention_layernorm",
    "Olmo2": "post_attention_layernorm",
}
ONE_PLUS = (
    "GemmaRMSNorm",
    "Gemma2RMSNorm",
    "Gemma3RMSNorm",
    "MiniMaxM3VLRMSNorm",
    "MuseGlimmerTextCenteredRMSNorm",
    "Qwen3_5RMSNorm",
    "Qwen3_5MoeRMSNorm",
    "Step3p7RMSNorm",
)


class HeldNorm(nn.Module):
    """A norm whose statistic is held."""

    def __init__(self, norm):
        super().__init__()
        self.kind = type(norm).__name__
        self.weight = norm.weight.detach() + (self.kind in ONE_PLUS)
        self.bias = getattr(norm, "bias", None)
        self.eps = next(getattr(norm, name) for name in ("variance_epsilon", "eps") if hasattr(norm, name))

    def forward(self, x):
        if "LayerNorm" in self.kind:
            x = x - x.mean(dim=-1, keepdim=True)
        held = (x.pow(2).mean(dim=-1, keepdim=True) + self.eps).sqrt().detach()
        found = self.weight * x / held
        return found if self.bias is None else found + self.bias


def held(model):
    """A copy in float64 with eager attention: only what attention adds, and its way out, can be differentiated."""
    model = copy.deepcopy(model).double()
    model.set_attn_implementation("eager")
    model.set_experts_implementation("eager")  # the grouped one knows no float64
    decoder = capture.decoder_of(model)
    final, _ = capture.readable_parts(model)
    name = next(name for name, child in decoder.named_children() if child is final)
    setattr(decoder, name, HeldNorm(final))
    for layer in decoder.layers:
        behind = next((part for kind, part in BEHIND_ATTENTION.items() if type(layer).__name__.startswith(kind)), None)
        for part, child in layer.named_children():
            if part == behind:
                setattr(layer, part, HeldNorm(child))
            elif "norm" in part or part == "per_layer_input_gate":
                child.register_forward_pre_hook(lambda _module, args: (args[0].detach(), *args[1:]))
    return model, decoder


@contextmanager
def scaled_values(decoder, factors):
    """Multiply what each position's values add by a factor."""

    texts = {id(part) for part in decoder.modules()}

    def eager(module, query, key, value, *args, original, **kwargs):
        plain, weights = original(module, query, key, value, *args, **kwargs)
        if id(module) not in texts:  # the vision tower's
            return plain, weights
        values = value.repeat_interleave(module.num_key_value_groups, dim=1).detach()
        output = weights.to(values).detach() @ (values * factors[: values.shape[2], None])
        return output.transpose(1, 2).contiguous(), weights

    homes = {
        sys.modules[type(part).__module__]
        for layer in decoder.layers
        for part in layer.modules()
        if "Attention" in type(part).__name__
    }
    with ExitStack() as stack:
        for home in homes:
            original = home.eager_attention_forward
            stack.enter_context(
                patch.object(
                    home,
                    "eager_attention_forward",
                    lambda *args, original=original, **kwargs: eager(*args, original=original, **kwargs),
                )
            )
        yield


def reference(model, inputs, queries):
    """Return what every position contributes to some logits, (queries, positions), float64.

    ``queries`` are read positions and classes.
    """
    double, decoder = held(model)
    length = inputs["input_ids"].shape[1]
    factors = torch.ones(length, dtype=torch.float64, requires_grad=True)
    inputs = capture.on_device(double, inputs)
    states = []
    norm, head = capture.readable_parts(double)
    norm.register_forward_hook(lambda _module, _args, output: states.append(output))
    with scaled_values(decoder, factors):
        double(**inputs, use_cache=False, logits_to_keep=torch.tensor([-1]))
    rows = head.weight.detach()
    return torch.stack(
        [
            torch.autograd.grad(states[0][0, position] @ rows[class_id], factors, retain_graph=True)[0]
            for position, class_id in queries
        ]
    )
