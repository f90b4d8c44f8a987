"""NLTK with tiny data of its own, and without any: what is installed on this machine must not matter."""

import json

import nltk
import pytest
from nltk.corpus import wordnet

from tam_widget.evaluation.plausibility import parts_of_speech

TAGS = {"the": "DT", "The": "DT", "and": "CC", "on": "IN", "runs": "VBZ", "dogs": "NNS", "hot": "JJ", "red": "JJ"}
NOUNS = ("dog", "bench", "bus")
WORDNET_FILES = (
    "cntlist.rev lexnames index.sense index.adj index.adv index.noun index.verb data.adj data.adv data.noun data.verb "
    "adj.exc adv.exc noun.exc verb.exc"
)


def _forget():
    for cached in ("_perceptron", "_wordnet", "_tagged", "_wordnet_lemma"):
        getattr(parts_of_speech, cached).cache_clear()
    wordnet._unload()


@pytest.fixture
def no_nltk_data(monkeypatch):
    """NLTK finds no data."""
    monkeypatch.setattr(nltk.data, "path", [])
    _forget()
    yield
    _forget()


@pytest.fixture
def nltk_data(tmp_path, monkeypatch):
    """NLTK finds a tagger that knows TAGS and calls all else a noun, and a WordNet of the NOUNS."""
    root = tmp_path / "nltk_data"
    tagger, corpus = root / "taggers/averaged_perceptron_tagger_eng", root / "corpora/wordnet"
    tagger.mkdir(parents=True)
    corpus.mkdir(parents=True)
    parts = {"weights": {"bias": {"NN": 1.0}}, "tagdict": TAGS, "classes": ["NN", *sorted({*TAGS.values()})]}
    for part, content in parts.items():
        (tagger / f"{tagger.name}.{part}.json").write_text(json.dumps(content))
    files = dict.fromkeys(WORDNET_FILES.split(), "")
    files["lexnames"] = "00\tnoun.Tops\t1\n"
    files["data.adj"] = "  1 WordNet 3.0 Copyright\n"
    for number, noun in enumerate(NOUNS):
        offset = sum(map(len, files["data.noun"].splitlines(keepends=True)))
        files["data.noun"] += f"{offset:08d} 00 n 01 {noun} 0 000 | thing {number}  \n"
        files["index.noun"] += f"{noun} n 1 0 1 0 {offset:08d}  \n"
    for name, content in files.items():
        (corpus / name).write_text(content)
    monkeypatch.setattr(nltk.data, "path", [str(root)])
    _forget()
    yield
    _forget()
