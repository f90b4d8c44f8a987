"""Ways to make a map of a word, side by side: Token Activation Map, its parts and successors, attention, gradients.

Below them the floors, which know nothing of the word.
"""

from tam_widget.evaluation.methods import floors, variants
from tam_widget.evaluation.methods.attention_weights import rollout
from tam_widget.evaluation.methods.gradients import gradient_x_input, integrated_gradients
from tam_widget.evaluation.methods.lensed import attention, attention_mean, contribution
from tam_widget.evaluation.methods.overlap import tam_overlap
from tam_widget.evaluation.methods.registry import (
    Method,
    MethodError,
    method_maps,
    method_names,
    on_grid,
    register_method,
    scale_each,
)
from tam_widget.evaluation.methods.resolutions import tam_resolutions

__all__ = [
    "Method",
    "MethodError",
    "attention",
    "attention_mean",
    "contribution",
    "gradient_x_input",
    "integrated_gradients",
    "method_maps",
    "method_names",
    "on_grid",
    "register_method",
    "rollout",
    "scale_each",
    "tam_overlap",
    "tam_resolutions",
]

for _name, _method in {
    "tam": variants.tam,
    "causal": variants.causal,
    "filter": variants.filtered,
    "cam": variants.cam,
    "contribution": contribution,
    "attention": attention,
    "attention_mean": attention_mean,
    "rollout": rollout,
    "gradient_x_input": gradient_x_input,
    "integrated_gradients": integrated_gradients,
    "tam_resolutions": tam_resolutions,
    "tam_overlap": tam_overlap,
    "uniform": floors.uniform,
    "random": floors.random,
    "centre": floors.centre,
}.items():
    register_method(_name, _method)
