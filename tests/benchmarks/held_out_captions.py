"""Held-out scenes that a test looks for, and the words of their captions."""

import re

from scored_words.held_out import held_out


def split(text):
    return re.findall(r"\w+|[^\w\s]", text)


def found(kind, accepts):
    """The first held-out scene of a kind that is as asked for."""
    return next(held for held in (held_out(seed, kind) for seed in range(60)) if accepts(held))
