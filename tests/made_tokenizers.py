"""Tokenizers of the kinds that models come with, trained here in a moment, and texts that are hard for them."""

import json
from functools import cache

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
UNKNOWN = "<unk>"
ADDED = ("<obj>", "<|ref|>")
PARTS = (
    ("a", "small", "Red", "circle", "isn't", "x_1", "naïve", "cafe\u0301", "café", "STRASSE", "Straße", "İzmir", "ﬁne"),
    ("猫", "桌子上", "りんご", "か\u3099", "𠮷", "龘", "한국어", "\u1112\u1161\u11ab"),
    ("😀", "👍🏽", "🇩🇪🇫🇷", "👩‍👩‍👧‍👦", "❤️", "1️⃣", "🏳️‍🌈", "🏴\U000e0067\U000e0062\U000e007f"),
    ("नीला", "नील", "क्षत्रिय", "தமிழ்", "বাংলা", "แมวดำ", "ខ្មែរ", "မြန်မာ"),
    ("مَرْحَبًا", "کتاب\u200cها", "שָׁלוֹם", "ёлка", "\u1e9b\u0323"),
    (".", ",", "!?", "(", "—", "…", "$5", "\n", "\n\n", "\t", "①"),
    ADDED,
)  # fmt: skip


def text(seed):
    """A short text of everything, with and without spaces between."""
    rng = np.random.default_rng(seed)

    def pick(choices):
        return choices[rng.integers(len(choices))]

    parts = [pick(pick(PARTS)) for _ in range(rng.integers(15))]
    parts.insert(rng.integers(len(parts) + 1), "circle")
    return "".join(part + pick(("", " ", " ", "  ")) for part in parts).rstrip(" ")


# What the tokenizers below know well: the rest they must spell.
CORPUS = ["A small red circle is on the table. The quick brown fox isn't here, naïve café. नीला घर. 猫在桌子上。"] * 8


def _gpt2():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return _trained(made, trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))


def _qwen():
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    words = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    return _trained(made, trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))


def _llama():
    made = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token=UNKNOWN))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = _falling_back(decoders.Strip(" ", 1, 0))
    return _with_bytes(_trained(made, trainers.BpeTrainer(vocab_size=400, special_tokens=[UNKNOWN, *BYTES])))


def _mistral():
    made = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = _falling_back(decoders.Strip(" ", 1, 0))
    return _with_bytes(_trained(made, trainers.BpeTrainer(vocab_size=400, special_tokens=[UNKNOWN, *BYTES])))


def _gemma():
    made = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token=UNKNOWN))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.decoder = _falling_back()
    return _with_bytes(_trained(made, trainers.BpeTrainer(vocab_size=400, special_tokens=[UNKNOWN, *BYTES])))


def _unigram():
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=[UNKNOWN, *BYTES], unk_token=UNKNOWN)
    return _with_bytes(_trained(made, trainer))


def _wordpiece():
    made = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    # Every character, so that nothing is unknown: what is would be a control token, and no text.
    return _trained(made, trainers.WordPieceTrainer(vocab_size=900, special_tokens=[UNKNOWN]), [*CORPUS, *_every()])


def _characters():
    letters = sorted(set("".join([*CORPUS, *_every(), " "])))
    made = Tokenizer(models.WordLevel({UNKNOWN: 0} | {letter: k for k, letter in enumerate(letters, 1)}, UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    made.decoder = decoders.Fuse()
    return made


KINDS = {
    "byte-level as GPT-2": _gpt2,
    "byte-level as Qwen": _qwen,
    "byte fallback as Llama 2": _llama,
    "byte fallback as Mistral": _mistral,
    "byte fallback as Gemma": _gemma,
    "Unigram with byte fallback": _unigram,
    "WordPiece": _wordpiece,
    "characters": _characters,
}


@cache
def tokenizer(kind):
    """One of ``KINDS``, with two added tokens, as a model's processor has it."""
    made = KINDS[kind]()
    made.add_tokens([AddedToken(one, normalized=False) for one in ADDED])
    return PreTrainedTokenizerFast(tokenizer_object=made, clean_up_tokenization_spaces=False)


def _every():
    return [part for parts in PARTS[:-1] for part in parts]


def _trained(made, trainer, corpus=CORPUS):
    trainer.show_progress = False
    made.train_from_iterator(corpus, trainer)
    return made


def _falling_back(*more):
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *more])


def _with_bytes(made):
    """Make the byte tokens a part of the vocabulary only: trained, they are control tokens."""
    state = json.loads(made.to_str())
    state["added_tokens"] = [one for one in state["added_tokens"] if one["content"] not in BYTES]
    if state["model"]["type"] == "Unigram":
        state["model"]["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(state))
