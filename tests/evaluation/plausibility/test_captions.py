"""ROUGE-L and METEOR of captions."""

import pytest

from tam_widget.evaluation import score_caption


def test_rouge_l_is_of_the_best_reference(no_nltk_data):
    # The longest common subsequence "the cat on the mat" has 5 words of 6 and of 6: F = 5/6.
    scores = score_caption("The cat sat on the mat.", ["no such thing", "the cat is on the mat"])
    assert scores.rouge_l == pytest.approx(5 / 6)
    assert score_caption("a cat", ["a cat"]).rouge_l == 1.0
    assert score_caption("", ["a cat"]).rouge_l == 0.0


def test_without_wordnet_meteor_is_not_computed_and_says_so(no_nltk_data):
    # All words match, so that NLTK would not notice that WordNet is missing.
    scores = score_caption("a cat", ["a cat"])
    assert scores.meteor is None
    assert scores.reasons == {"meteor": "WordNet is not installed: python -m nltk.downloader wordnet"}


def test_meteor_with_wordnet(nltk_data):
    # Banerjee and Lavie, 2005: three matches in one chunk, penalty 0.5 · (1/3)³.
    scores = score_caption("A dog runs", ["a dog runs", "something else"])
    assert scores.meteor == pytest.approx(1 - 0.5 / 27)
    assert scores.reasons == {}
    # One match of three and three: the harmonic mean is 1/3, penalty 0.5.
    assert score_caption("the dog ran", ["a dog runs"]).meteor == pytest.approx(1 / 6)


@pytest.mark.parametrize("references", [(), ("", "  ")])
def test_without_references_nothing_is_computed(references):
    scores = score_caption("a cat", references)
    assert (scores.rouge_l, scores.meteor) == (None, None)
    assert scores.reasons == dict.fromkeys(("rouge_l", "meteor"), "the sample has no reference")


def test_missing_packages_are_named(monkeypatch):
    from tam_widget.evaluation.plausibility import captions

    def gone(name):
        raise ImportError(name)

    captions._rouge_scorer.cache_clear()
    monkeypatch.setattr(captions, "import_module", gone)
    scores = score_caption("a cat", ["a cat"])
    assert scores.rouge_l is None
    assert "rouge-score is not installed" in scores.reasons["rouge_l"]
    assert "nltk is not installed" in scores.reasons["meteor"]
