"""Tokens that hold bytes and no whole character."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["byte_of", "spelled"]

_FALLBACK = re.compile(r"<0x([0-9A-F]{2})>")


def _byte_level() -> dict[str, int]:
    """Return the bytes behind the characters that byte-level BPE writes for them, as GPT-2's ``bytes_to_unicode``."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + k): byte for k, byte in enumerate(others)}


_BYTE_LEVEL = _byte_level()


def byte_of(tokenizer: Any, token_id: int) -> int | None:
    """Return the one byte that a token stands for where the vocabulary falls back on bytes; None for all others."""
    name = tokenizer.convert_ids_to_tokens(token_id)
    match = _FALLBACK.fullmatch(name) if isinstance(name, str) else None
    # Without a decoder that reads it as a byte, it is the text that it seems to be.
    return int(match[1], 16) if match and tokenizer.decode([token_id]) != name else None


def spelled(tokenizer: Any, token_id: int) -> str | None:
    r"""Return a token with the bytes that make no character written as ``\xf0``; None if they cannot be told."""
    byte = byte_of(tokenizer, token_id)
    name = tokenizer.convert_ids_to_tokens(token_id)
    if byte is not None:
        raw = bytes([byte])
    elif isinstance(name, str) and _BYTE_LEVEL.keys() >= set(name):
        raw = bytes(_BYTE_LEVEL[character] for character in name)
        if raw.decode(errors="replace") != tokenizer.decode([token_id], clean_up_tokenization_spaces=False):
            return None
    else:
        return None
    return raw.decode(errors="backslashreplace")
