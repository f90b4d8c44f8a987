"""check() of a whole answer."""

import pytest
from explained_scenes import demo_pair, of_case
from tiny.cases import CASES

import tam_widget as tam


@pytest.fixture(scope="module")
def ex():
    return tam.explain(*demo_pair(), tam.demo.scene(7).image, "Describe this image.")


def test_every_content_word_is_judged_as_it_is_alone(ex):
    told, passes = [], []
    hook = demo_pair()[0].register_forward_hook(lambda *_: passes.append(1))
    found = ex.check(progress=lambda done, of: told.append((done, of)))
    hook.remove()
    assert len(passes) <= 3 + 18 * 7  # the original and everything covered are shared
    assert [one.text for one in found] == ["small", "green", "cross", "left", "large", "blue", "square"]
    assert told == [(k, 7) for k in range(1, 8)]
    assert found.is_complete
    assert sum(found.counts.values()) == 7
    assert 0 <= found.by_chance <= 1 / 9
    alone = ex.check("large")
    assert found[4].bars.place == pytest.approx(alone.bars.place, abs=1e-4)
    assert found[4].kind == alone.kind


def test_ctrl_c_leaves_what_is_done(ex):
    def stop(done, _of):
        if done == 2:
            raise KeyboardInterrupt

    found = ex.check(progress=stop)
    assert [one.text for one in found] == ["small", "green"]
    assert not found.is_complete


def test_progress_of_one_word_ends_with_all_passes(ex):
    told = []
    ex.check("square", progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (21, 21)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_an_answer_without_content_words_is_refused():
    model, processor = CASES[0].pair()
    ex = tam.explain(model, processor, of_case(CASES[0]).picture, "What is it?", answer="It is.")
    with pytest.raises(tam.CheckError, match=r"no content word to check: 'It is\.'"):
        ex.check()
