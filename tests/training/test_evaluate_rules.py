from dataclasses import replace

import pytest

from nlp.knowledge import Knowledge, load_knowledge
from nlp.petition import Petition
from nlp.router import Router
from training.data import DATASETS, Example
from training.evaluate_rules import (
    HALVES,
    Case,
    half_of,
    judge,
    part_of,
    read_adversarial,
    read_sentences,
    route,
)
from training.rules_page import Hits, page

TEXTS = {
    "修路": "希望在村口修一条水泥路,雨天出行不便。",
    "诈骗": "我被人骗了三万元,请公安立案侦查诈骗。",
    "联名": "我们三百户业主联名请求停建基站。",
    "自杀": "再不解决我就自杀。",
}
LABELS = {
    "修路": ("petition_procedure", "transport"),
    "诈骗": ("judicial_procedure", "public_security"),
    "联名": ("administrative_procedure", "natural_resources_planning"),
    "自杀": ("petition_procedure", "civil_affairs"),
}
NATURES = {"修路": "suggestion", "诈骗": "request", "联名": "appeal", "自杀": "request"}
FLAGS = {"修路": ("group_event",), "诈骗": ("criminal_suspicion",), "联名": ("group_event",), "自杀": ()}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="module")
def cases(knowledge: Knowledge) -> list[Case]:
    examples = []
    for number in range(8):
        for name, text in TEXTS.items():
            channel, department = LABELS[name]
            examples.append(
                Example(
                    id=f"{name}-{number}",
                    petition=Petition(text=text),
                    group=str(number),
                    source="annotated",
                    labels={"nature": NATURES[name], "channel": channel, "department": department},
                    flags=FLAGS[name],
                )
            )
    return judge(examples, knowledge)


def test_halves_are_fixed_and_both_used() -> None:
    assert half_of("1") == half_of("1")
    assert {half_of(str(number)) for number in range(20)} == set(HALVES)


def test_only_the_first_annotated_messages_are_in_halves(cases: list[Case]) -> None:
    example = cases[0].example
    assert part_of(example) == half_of(example.group)
    assert part_of(replace(example, source="reread")) == "fresh"


def test_hits_are_shares() -> None:
    hits = Hits(right=3, wrong=1, missed=2)
    assert (hits.precision, hits.recall) == ("0.750", "0.600")
    assert Hits(right=0, wrong=0, missed=0).precision == "—"


def test_a_safety_miss_is_listed_and_a_wrong_firing_counted(cases: list[Case], knowledge: Knowledge) -> None:
    text = page(
        cases=cases,
        readings=[("self_harm", (2, 5, 6, 5), (0.5, 0.75))],
        milliseconds=1.0,
        routed=[],
        sentences=read_sentences(DATASETS / "rules" / "sentences.jsonl", knowledge)[:5],
        adversarial=read_adversarial(DATASETS / "rules" / "adversarial.jsonl", knowledge)[:5],
        knowledge=knowledge,
    )
    for half in HALVES:
        n = sum(case.half == half for case in cases) // 4
        # 联名 is right, 自杀 fires without a flag, 修路 carries a flag that nothing in it supports.
        assert f"| {half} | 只算 S 级命中 | {n} | {n} | {n} | 0.500 | 0.500 |" in text
    assert "修路-0" in text
    assert "| `self_harm` | 2 | 5 | 6 | 5 | 0.50 | 0.75 |" in text


def test_every_case_is_scored_and_what_the_law_changed_is_told(cases: list[Case], knowledge: Knowledge) -> None:
    routed = route(cases[:4], Router.load(n_threads=1))
    assert [item.case for item in routed] == cases[:4]
    other = next(option for option in ("arbitration", "consultation_reply") if option != routed[0].best["channel"])
    overruled = replace(routed[0], best={**routed[0].best, "channel": other})
    text = page(
        cases=cases,
        readings=[],
        milliseconds=1.0,
        routed=[overruled, *routed[1:]],
        sentences=read_sentences(DATASETS / "rules" / "sentences.jsonl", knowledge)[:5],
        adversarial=read_adversarial(DATASETS / "rules" / "adversarial.jsonl", knowledge)[:5],
        knowledge=knowledge,
    )
    told = text[text.index("## 法定途径：模型与规则") : text.index("## 责任部门：模型与规则")]
    assert overruled.case.example.id in told
