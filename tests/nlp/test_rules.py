import json
import re
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nlp.knowledge import Clue, Knowledge, Lexicon, Rule, load_knowledge
from nlp.knowledge.signals import expand
from nlp.petition import Firing, Masked, Petition
from nlp.prepare import prepare
from nlp.rules import find_firings
from nlp.rules.anchors import anchors_of, index_of
from nlp.rules.counts import smallest_count
from nlp.rules.disguise import undisguise


@cache
def packaged() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return packaged()


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
    return replace(packaged(), lexicon=lexicon, rules=(rule,))


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
    assert fires("三百多户业主", Clue(find=("{count}户{people}",), at_least=5))
    assert not fires("3户业主", Clue(find=("{count}户{people}",), at_least=5))


def test_idioms_and_book_titles_cancel() -> None:
    assert not fires("跳楼价", Clue(find=("跳楼",)), idioms=("跳楼价",))
    assert not fires("《不想跳楼的人》很好看", Clue(find=("跳楼",)))
    assert fires("他要跳楼,不是跳楼价", Clue(find=("跳楼",)), idioms=("跳楼价",))


@pytest.mark.parametrize(
    "text",
    [
        "我已经写好了《遗书》",
        "已写《遗书》,准备从政府楼顶跳下",
        "留下《绝笔信》给你们",
        "我没有钱治病自杀算了",
        "没有工资没有家自杀给你们看",
        "再不解决没有房子住自焚",
        "我不能忍了同归于尽",
        "我们写了《联名请愿书》交给政府",
        "我们按《劳动法》的规定要求三百名工人的工资",
    ],
)
def test_what_petitioners_wrote_and_what_they_lack_switch_no_urgent_rule_off(text: str, knowledge: Knowledge) -> None:
    assert [f.level for f in firings(text, knowledge).values()][:1] == ["S"]


@pytest.mark.parametrize(
    "text",
    [
        "我不会自杀",
        "我们不想同归于尽",
        "请学校防止外人持刀闯入",
        "能不能开设防自杀心理讲座",
        "建议发放《自杀预防与危机干预》",
        "依据《集会游行示威法》",
        "我们学校有1200名学生,请问几号开学",
    ],
)
def test_a_touching_negation_and_titles_of_works_and_laws_keep_urgent_rules_silent(
    text: str, knowledge: Knowledge
) -> None:
    assert "S" not in [f.level for f in firings(text, knowledge).values()]


def test_what_the_software_cannot_undo_is_said_to_be_left_to_a_person(knowledge: Knowledge) -> None:
    actions = {rule.code: rule.action for rule in knowledge.rules}
    for code in ("secret", "official_accusation"):
        for said in ("保存，", "须由人", "清除"):
            assert said in actions[code], (code, said)


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
        ("9" * 400, 0),
        ("一" + "万" * 400, 0),
    ],
)
def test_counts_are_read_at_their_smallest_meaning(phrase: str, count: int) -> None:
    assert smallest_count(phrase) == count


def test_undisguise_keeps_ordinary_marks_and_maps_back() -> None:
    plain = undisguise("业主,村民 a/b 自/杀")
    assert plain.text == "业主,村民 a/b 自杀"
    assert [plain.origin[i] for i in (0, len(plain.text) - 1)] == [0, 12]


DATASETS = Path(__file__).parents[2] / "datasets" / "rules"


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATASETS / name).read_text(encoding="utf-8").splitlines()]


def codes(text: str, knowledge: Knowledge) -> set[str]:
    return {firing.code for firing in find_firings(prepare(Petition(text=text)), knowledge=knowledge)}


def test_every_rule_with_clues_has_positive_and_negative_sentences(knowledge: Knowledge) -> None:
    sentences = read("sentences.jsonl")
    assert len(sentences) >= 400
    for rule in knowledge.rules:
        if rule.clues:
            assert {s["fires"] for s in sentences if s["code"] == rule.code} == {True, False}, rule.code


def test_rules_keep_what_they_reached_on_the_written_sentences(knowledge: Knowledge) -> None:
    wrong = [s["id"] for s in read("sentences.jsonl") if (s["code"] in codes(s["text"], knowledge)) != s["fires"]]
    assert len(wrong) <= 4, wrong


def test_rules_keep_what_they_reached_on_the_adversarial_texts(knowledge: Knowledge) -> None:
    texts = read("adversarial.jsonl")
    assert len(texts) >= 120
    wrong = []
    for text in texts:
        found = codes(text["text"], knowledge)
        if not set(text["expect"]) <= found or set(text["forbid"]) & found:
            wrong.append(text["id"])
    assert len(wrong) <= 8, wrong


def test_all_rules_take_little_more_than_one_search_for_every_signal(knowledge: Knowledge) -> None:
    text = masked(("我们小区三百多户业主多次向街道反映电梯故障和消防通道被堵,至今没有结果,请书记督促。" * 12)[:500])
    words = knowledge.lexicon.words
    signals = [signal for rule in knowledge.rules for clue in rule.clues for signal in clue.find]
    patterns = [re.compile(expand(signal, words)) for signal in signals]
    find_firings(text, knowledge=knowledge)
    rules, searches = [], []
    for _ in range(30):
        started = time.process_time()
        find_firings(text, knowledge=knowledge)
        between = time.process_time()
        for pattern in patterns:
            pattern.search(text.text)
        rules.append(between - started)
        searches.append(time.process_time() - between)
    # About as long where it was measured: the anchors pay for negations, conditions and disguises.
    assert min(rules) < 4 * min(searches)


def test_anchors_are_contained_in_every_match() -> None:
    assert anchors_of("刑讯逼供") == {"刑讯逼供"}
    assert anchors_of("(?:上访|信访)(?:人|者)") == {"上访", "信访"}
    assert anchors_of("要?死.{0,3}活") in ({"死"}, {"活"})
    assert anchors_of("[塌垮]") == {"塌", "垮"}
    assert anchors_of("\\d+") == frozenset()


def test_the_index_loses_no_match(knowledge: Knowledge) -> None:
    words = knowledge.lexicon.words
    signals = [re.compile(expand(s, words)) for rule in knowledge.rules for clue in rule.clues for s in clue.find]
    index = index_of(signals)
    for text in (entry["text"] for entry in [*read("sentences.jsonl"), *read("adversarial.jsonl")]):
        matching = {number for number, signal in enumerate(signals) if signal.search(text)}
        assert matching <= index.worth_trying(text), text
