"""torchvision for the tests, beside a torch that it may not match.

Most families' processors need torchvision. ``make`` puts it into a folder of its own, so that everything else (the
notebooks, JupyterLab) runs without it, as for a user who has none. A wheel made for a torch with CUDA does not import
beside the CPU's torch: its compiled operators are missing. Their names are enough for what processors do.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

from torch import library

_OPERATORS = ("nms", "qnms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d")
_kept = []


def provide():
    """Make ``import torchvision`` work; call before transformers is imported."""
    folder = Path(sys.prefix) / "torchvision"
    if importlib.util.find_spec("torchvision") is None and folder.is_dir():
        sys.path.append(str(folder))
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        operators = library.Library("torchvision", "DEF")
        for name in _OPERATORS:
            operators.define(f"{name}(Tensor x) -> Tensor")
            operators.define(f"_{name}_backward(Tensor x) -> Tensor")
        _kept.append(operators)  # its operators go when it does
        importlib.import_module("torchvision")
