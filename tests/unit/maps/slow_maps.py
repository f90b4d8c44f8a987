"""The equations of the method for one token, read plainly in float64."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Slow:
    """What the equations give for one token, in float64, and how well conditioned it is."""

    image: np.ndarray
    text: np.ndarray
    raw: np.ndarray
    interference: np.ndarray
    condition: float


def slow_map(text, token, *, causal_inference=True):
    hidden, weight = text.hidden.astype(np.float64), text.weight.astype(np.float64)

    def scores(position, class_id):
        return max(float(hidden[position] @ weight[class_id]), 0.0)

    def raw_map(class_id):
        return np.array([scores(position, class_id) for position in text.image_positions])

    raw = raw_map(text.class_ids[token])
    relevance = np.array([scores(text.positions[k], text.class_ids[token]) for k in range(token)])
    estimate = np.zeros_like(raw)
    for k in range(token):
        if text.keys[k] != text.keys[token]:
            estimate += relevance[k] * raw_map(text.class_ids[k])
    context = sum(relevance[k] for k in range(token) if text.keys[k] != text.keys[token])
    estimate /= context + 1e-8
    scale = raw @ estimate / (estimate @ estimate) if estimate.any() and causal_inference else 0
    image = np.maximum(raw - scale * estimate, 0)

    joint = np.concatenate([image, relevance])
    low, high = (joint.min(), joint.max()) if joint.size else (0, 0)
    flat = high <= low
    later = np.zeros(len(text.keys) - token)
    longest = np.linalg.norm(hidden, axis=1).max() * np.linalg.norm(weight, axis=1).max()
    smallest = min([high - low, *(norm for norm in [np.linalg.norm(estimate)] if norm > 0)])
    return Slow(
        image=np.zeros_like(image) if flat else (image - low) / (high - low),
        text=np.concatenate([np.zeros_like(relevance) if flat else (relevance - low) / (high - low), later]),
        raw=raw,
        interference=scale * estimate,
        condition=np.inf if smallest == 0 else longest / smallest,
    )


def assert_close(maps, slow, row=0, *, rtol=1e-6, atol=1e-6):
    for name in ("image", "text", "raw", "interference"):
        np.testing.assert_allclose(getattr(maps, name)[row], getattr(slow, name), rtol=rtol, atol=atol, err_msg=name)
