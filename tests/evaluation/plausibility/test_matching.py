"""Which category a word names: the right one, and the released evaluation's."""

import pytest

from tam_widget.evaluation import COCO_CATEGORIES, Naming, WordTagger, find_names

TAGGER = WordTagger("list", "simplemma")
NAMES = [*COCO_CATEGORIES, "t-shirt"]


def found(text, names=NAMES, matching="exact", kinds=None):
    words = text.split()
    kinds = TAGGER.kinds(words, names) if kinds is None else kinds
    return [
        (naming.category, [words[place] for place in naming.words])
        for naming in find_names(words, kinds, names, TAGGER.lemma, matching)
    ]


@pytest.mark.parametrize(
    ("word", "exact", "released"),
    [
        ("dog", "dog", "hot dog"),
        ("Dogs", "dog", "hot dog"),
        ("bear", "bear", "teddy bear"),
        ("people", None, None),
        ("light", "traffic light", "traffic light"),
        ("glove", "baseball glove", "baseball glove"),
        ("baseball", "baseball bat", "baseball glove"),
        ("bus", "bus", "bus"),
    ],
)
def test_a_word_alone(word, exact, released):
    assert found(f"a {word} .") == ([(exact, [word])] if exact else [])
    assert found(f"a {word} .", matching="released") == ([(released, [word])] if released else [])


def test_a_whole_name_goes_before_its_parts():
    assert found("two hot dogs beside a dog") == [("hot dog", ["hot", "dogs"]), ("dog", ["dog"])]
    assert found("a traffic light under a street light") == [
        ("traffic light", ["traffic", "light"]),
        ("traffic light", ["light"]),
    ]


def test_a_whole_name_may_hold_words_that_are_no_nouns():
    kinds = ("function", "other", "noun")
    assert found("a hot dog", kinds=kinds) == [("hot dog", ["hot", "dog"])]
    assert found("a hot dog", kinds=kinds, matching="released") == [("hot dog", ["dog"])]
    assert found("he can dog", kinds=("function", "function", "other")) == []


def test_a_part_that_a_name_ends_with_goes_before_one_that_it_begins_with():
    names = ["bat holder", "baseball bat"]
    assert found("a bat", names) == [("baseball bat", ["bat"])]
    assert found("a bat", names[::-1]) == [("baseball bat", ["bat"])]


def test_neighbours_are_joined_only_side_by_side():
    assert found("bench bench , bench", matching="released") == [("bench", ["bench", "bench"]), ("bench", ["bench"])]
    assert found("stop sign sign") == [("stop sign", ["stop", "sign", "sign"])]
    assert found("stop sign sign", matching="released") == [("stop sign", ["stop", "sign", "sign"])]


def test_hyphens_do_not_part_a_name():
    assert found("a t - shirt") == [("t-shirt", ["t", "shirt"])]
    assert found("a fire - hydrant") == [("fire hydrant", ["fire", "hydrant"])]
    assert found("a dog - bear") == [("dog", ["dog"]), ("bear", ["bear"])]


def test_only_categories_of_the_sample_are_named():
    assert found("a dog", ["hot dog", "cat"]) == [("hot dog", ["dog"])]
    assert found("a dog", []) == []
    assert found("", NAMES) == []


def test_places_are_those_of_the_words():
    naming = find_names(["a", "hot", "dog"], ("function", "noun", "noun"), ["hot dog"], TAGGER.lemma)
    assert naming == (Naming("hot dog", (1, 2)),)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'exact' or 'released'"):
        found("a dog", matching="last")
    with pytest.raises(ValueError, match="2 words but 1 types"):
        found("a dog", kinds=("noun",))
