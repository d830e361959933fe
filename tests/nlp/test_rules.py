from dataclasses import replace

import pytest

from nlp.knowledge import Clue, Knowledge, Lexicon, Rule, load_knowledge
from nlp.petition import Firing, Masked
from nlp.rules import find_firings
from nlp.rules.counts import largest_count
from nlp.rules.disguise import undisguise


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def masked(text: str) -> Masked:
    return Masked(text=text, origin=tuple(range(len(text))))


def firings(text: str, knowledge: Knowledge) -> dict[str, Firing]:
    return {firing.code: firing for firing in find_firings(masked(text), knowledge=knowledge)}


def one_rule(*clues: Clue, idioms: tuple[str, ...] = ()) -> Knowledge:
    rule = Rule(
        code="probe",
        name="试",
        level="A",
        basis="条例25条",
        certainty="verified",
        action="看",
        clues=clues,
        idioms=idioms,
    )
    lexicon = Lexicon(words={"people": ("业主", "村民")}, negators=("不会", "没有"))
    return replace(load_knowledge(), lexicon=lexicon, rules=(rule,))


def fires(text: str, *clues: Clue, idioms: tuple[str, ...] = ()) -> bool:
    return bool(find_firings(masked(text), knowledge=one_rule(*clues, idioms=idioms)))


def test_a_threat_of_suicide_is_found_with_span_basis_and_action(knowledge: Knowledge) -> None:
    text = "再不解决我就死给你们看,只能自杀了。"
    firing = firings(text, knowledge)["self_harm"]
    assert (firing.level, text[firing.start : firing.end]) == ("S", "死给你")
    assert "条例25条" in firing.basis
    assert firing.certainty == "verified"
    assert "110" in firing.action


@pytest.mark.parametrize("text", ["停电气死了", "物业打死也不来修", "清仓跳楼价骗人", "累得要死"])
def test_idioms_are_no_danger(text: str, knowledge: Knowledge) -> None:
    assert not {"self_harm", "violence_threat"} & firings(text, knowledge).keys()


def test_most_urgent_first(knowledge: Knowledge) -> None:
    text = "村主任贪污,多次向镇政府反映无果,我不想活了"
    levels = [firing.level for firing in find_firings(masked(text), knowledge=knowledge)]
    assert levels == sorted(levels, key="SAB".index)
    assert levels[0] == "S"


def test_at_most_one_firing_per_rule(knowledge: Knowledge) -> None:
    codes = [f.code for f in find_firings(masked("我要自杀,我不想活,我要跳楼自杀"), knowledge=knowledge)]
    assert len(codes) == len(set(codes))


def test_empty_text_fires_nothing(knowledge: Knowledge) -> None:
    assert find_firings(masked(""), knowledge=knowledge) == ()


def test_negation_in_the_clause_cancels_but_not_across_clauses() -> None:
    clue = Clue(find=("打人",))
    assert not fires("他不会打人", clue)
    assert fires("他不会,打人", clue)
    assert fires("他不会打人", Clue(find=("打人",), negatable=False))


def test_co_occurrence_distinct_signals_and_counts() -> None:
    assert fires("孩子昨天被打", Clue(find=("孩子",), near=("被打",), within=5))
    assert not fires("孩子昨天上午在学校里被打", Clue(find=("孩子",), near=("被打",), within=5))
    assert fires("有巡视组,往上反映", Clue(find=("巡视组", "往上反映"), distinct=2))
    assert not fires("巡视组来了,巡视组走了", Clue(find=("巡视组", "往上反映"), distinct=2))
    assert fires("三百多户业主", Clue(find=("{number}户{people}",), at_least=5))
    assert not fires("3户业主", Clue(find=("{number}户{people}",), at_least=5))


def test_idioms_and_book_titles_cancel() -> None:
    assert not fires("跳楼价", Clue(find=("跳楼",)), idioms=("跳楼价",))
    assert not fires("《不想跳楼的人》很好看", Clue(find=("跳楼",)))
    assert fires("他要跳楼,不是跳楼价", Clue(find=("跳楼",)), idioms=("跳楼价",))


def test_a_clue_may_raise_the_level() -> None:
    knowledge = one_rule(Clue(find=("孩子",)), Clue(find=("猥亵",), level="S"))
    (firing,) = find_firings(masked("孩子被猥亵"), knowledge=knowledge)
    assert (firing.level, firing.start) == ("S", 3)


def test_hidden_words_are_seen_and_the_span_covers_the_original(knowledge: Knowledge) -> None:
    text = "没人管,我只有自/杀这条路"
    firing = firings(text, knowledge)["self_harm"]
    assert text[firing.start : firing.end] == "自/杀"


def test_spans_go_through_the_mask_to_the_original(knowledge: Knowledge) -> None:
    # The original had four more characters before the signal than the masked text.
    text = "[姓名]要自杀"
    shifted = Masked(text=text, origin=(0, 0, 0, 0, 8, 9, 10))
    (firing,) = (f for f in find_firings(shifted, knowledge=knowledge) if f.code == "self_harm")
    assert (firing.start, firing.end) == (9, 11)


@pytest.mark.parametrize(
    ("phrase", "count"),
    [
        ("300多户", 300),
        ("3,000人", 3000),
        ("2万人", 20000),
        ("三百多户", 300),
        ("十几人", 11),
        ("几十户", 20),
        ("数百名", 200),
        ("上百人", 100),
        ("六十位", 60),
        ("七八十户", 70),
        ("两千", 2000),
        ("一万二千", 12000),
        ("几户", 3),
        ("没有", 0),
        ("1.5万", 15000),
    ],
)
def test_counts_are_read_at_their_smallest_meaning(phrase: str, count: int) -> None:
    assert largest_count(phrase) == count


def test_undisguise_keeps_ordinary_marks_and_maps_back() -> None:
    plain = undisguise("业主,村民 a/b 自/杀")
    assert plain.text == "业主,村民 a/b 自杀"
    assert [plain.origin[i] for i in (0, len(plain.text) - 1)] == [0, 12]
