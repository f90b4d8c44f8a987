"""Types and lemmas of words, from NLTK's data and without it."""

import socket

import pytest
from made_answers import travelled

from tam_widget import MissingDependencyError
from tam_widget.evaluation import COCO_CATEGORIES, Tagger, WordTagger, open_tagger
from tam_widget.evaluation.plausibility.parts_of_speech import FUNCTION_WORDS

LISTED = WordTagger("list", "simplemma")


def test_without_nltk_s_data_the_list_and_simplemma_stand_in(no_nltk_data):
    tagger: Tagger = open_tagger()
    assert tagger == LISTED
    assert tagger.source.startswith("word types by a closed list of function words, lemmas by simplemma 2.")


def test_with_nltk_s_data_it_is_asked(nltk_data):
    tagger = open_tagger()
    assert tagger == WordTagger("nltk", "wordnet")
    assert tagger.source.startswith("word types by the tagger of NLTK 3.")
    assert tagger.source.endswith("lemmas by WordNet")
    words = ["The", "hot", "dogs", "and", "zebra", "runs", "on", ".", "\n"]
    assert tagger.kinds(words) == ("function", "other", "noun", "function", "noun", "other", "other", "other", "other")
    assert [tagger.lemma(word) for word in ("Dogs", "benches", "buses", "gizmos")] == ["dog", "bench", "bus", "gizmos"]


def test_each_source_can_be_asked_for(nltk_data):
    assert open_tagger("list", "simplemma") == LISTED
    assert open_tagger("nltk", "simplemma") == WordTagger("nltk", "simplemma")
    assert open_tagger("list") == WordTagger("list", "wordnet")


def test_what_is_asked_for_must_be_there(no_nltk_data):
    with pytest.raises(MissingDependencyError, match=r"nltk\.downloader averaged_perceptron_tagger_eng$"):
        open_tagger("nltk")
    with pytest.raises(MissingDependencyError, match=r"nltk\.downloader wordnet$"):
        open_tagger(lemmas="wordnet")
    with pytest.raises(ValueError, match="'auto', 'nltk' or 'list'"):
        open_tagger("spacy")


def test_without_any_table_of_lemmas_the_error_names_the_extra(no_nltk_data, monkeypatch):
    from tam_widget.evaluation.plausibility import parts_of_speech

    parts_of_speech._simplemma.cache_clear()

    def gone(name):
        raise ImportError(name)

    monkeypatch.setattr(parts_of_speech, "import_module", gone)
    with pytest.raises(MissingDependencyError, match=r"tam-widget\[eval\]"):
        open_tagger()


def test_the_list_knows_function_words_and_the_names_of_the_sample():
    words = ["There", "is", "a", "dog", "on", "their", "benches", ",", "which", "sleeps", "Traffic"]
    kinds = LISTED.kinds(words, ["dog", "bench", "traffic light"])
    assert dict(zip(words, kinds, strict=True)) == {
        "There": "function",
        "is": "other",
        "a": "function",
        "dog": "noun",
        "on": "other",  # a preposition
        "their": "function",
        "benches": "noun",
        ",": "other",
        "which": "function",
        "sleeps": "other",
        "Traffic": "noun",
    }
    assert LISTED.kinds(["dog"]) == ("other",)  # no category: no noun for certain


def test_the_list_holds_what_the_released_tags_hold_and_no_prepositions_or_numbers():
    assert {
        "and",
        "the",
        "there",
        "could",
        "'s",
        "they",
        "his",
        "yes",
        "which",
        "who",
        "whose",
        "where",
    } <= FUNCTION_WORDS
    assert not FUNCTION_WORDS & {"of", "on", "in", "with", "one", "two", "is", "to", "not"}
    assert all(word == word.lower() for word in FUNCTION_WORDS)


def test_every_coco_category_has_the_lemma_of_its_plural():
    odd = {"mouse": "mice", "knife": "knives", "sheep": "sheep", "scissors": "scissors", "skis": "skis"}
    for name in COCO_CATEGORIES:
        word = name.split()[-1]
        plural = odd.get(word) or word + ("es" if word.endswith(("s", "ch", "sh", "x")) else "s")
        assert LISTED.lemma(plural) == LISTED.lemma(word), plural
    assert LISTED.lemma("Crosses") == LISTED.lemma("cross") == "cross"
    assert LISTED.lemma("T-Shirt") == "tshirt"


def test_a_tagger_travels_between_processes():
    assert travelled(LISTED) == LISTED


def test_nothing_is_ever_downloaded(no_nltk_data, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *address: pytest.fail(f"connects to {address}"))
    assert open_tagger().kinds(["a", "dog"], ["dog"]) == ("function", "noun")
