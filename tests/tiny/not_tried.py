"""Kinds of model without a case of their own, and why."""

_NO_CASE = "nobody has built a tiny one of its class yet"
_NEWER = "it came with a transformers newer than the one that the tests are pinned to"

WHY = {
    "apertus1p5": _NEWER,
    "hy_v4_vl": _NEWER,
    "inkling2_loop": _NEWER,
    "unlimited_ocr": _NO_CASE,
}
