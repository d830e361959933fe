"""The petitions we wrote ourselves carry labels of the vocabulary and cover what they promise to cover."""

import json
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from nlp.normalise import normalise
from nlp.taxonomy import load_taxonomy

SAMPLES = Path(__file__).parents[1] / "datasets/samples"
REAL = Path(__file__).parents[2] / "shared/data"
FILES = ("petitions.jsonl", "synthetic_rare.jsonl")
KEYS = {
    *("id", "title", "text", "category_l1", "category_l2", "nature", "channel", "channel_alternatives"),
    *("department", "department_co", "review_flags", "appeals", "style"),
}
# The 18 flags of the annotation guide.
FLAGS = {
    *("self_harm", "violence_threat", "group_event", "official_accusation", "minors", "domestic_violence"),
    *("imminent_safety_risk", "death_or_serious_injury", "criminal_suspicion", "judicial_sensitive"),
    *("fraud_finance_mass", "vulnerable", "retaliation", "military_related", "ethnic_religious"),
    *("repeat_long_history", "secret", "epidemic"),
}


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


PETITIONS = read("petitions.jsonl")
RARE = read("synthetic_rare.jsonl")
ALL = PETITIONS + RARE
URGENT = [*read("urgent.jsonl"), *read("../rules/urgent.jsonl"), *read("../rules/urgent_letters.jsonl")]


def count(rows: list[dict[str, Any]], key: str) -> Counter[str]:
    return Counter(row[key] for row in rows)


def faults(row: dict[str, Any]) -> list[str]:
    """What is wrong with the labels of one petition."""
    taxonomy = load_taxonomy()
    departments = set(taxonomy.labels["department"])
    checks = {
        "fields": set(row) == KEYS,
        "category": f"{row['category_l1']}/{row['category_l2']}" in taxonomy.labels["category_l2"],
        "nature": row["nature"] in taxonomy.labels["nature"],
        "channel for this nature": row["nature"] in taxonomy.channel(row["channel"]).natures,
        "alternatives": set(row["channel_alternatives"]) <= set(taxonomy.labels["channel"]) - {row["channel"]},
        "department": row["department"] in departments,
        "co-departments": set(row["department_co"]) <= departments - {row["department"]}
        and len(row["department_co"]) <= 2,
        "flags": set(row["review_flags"]) <= FLAGS,
        "appeals": 1 <= row["appeals"] <= 5,
        "text": row["text"] != "" and row["text"] == row["text"].strip(),
        "accusing an official is flagged": row["nature"] not in ("disclosure", "accusation")
        or ("official_accusation" in row["review_flags"] and row["category_l1"] == "纪检监察"),
    }
    return [name for name, holds in checks.items() if not holds]


def test_every_label_is_in_the_vocabulary_and_fits_the_others() -> None:
    assert {row["id"]: found for row in ALL if (found := faults(row))} == {}


def test_ids_and_texts_are_unique() -> None:
    assert len({row["id"] for row in ALL}) == len(ALL)
    assert len({normalise(row["text"]).text for row in ALL}) == len(ALL)


def test_the_samples_cover_the_label_systems() -> None:
    labels = load_taxonomy().labels
    assert len(PETITIONS) >= 170
    assert set(count(PETITIONS, "category_l1")) == set(labels["category_l1"])
    assert set(count(PETITIONS, "nature")) == set(labels["nature"])
    assert set(count(PETITIONS, "channel")) == set(labels["channel"])
    assert len(count(PETITIONS, "department")) >= 38


def test_the_samples_cover_ways_of_writing() -> None:
    styles = Counter(chain.from_iterable(row["style"] for row in PETITIONS))
    wanted = "rude rambling dialect multi_appeal very_short long typos no_punctuation letter visit call polite angry"
    assert set(wanted.split()) <= set(styles)
    lengths = [len(row["text"]) for row in PETITIONS]
    assert sum(length <= 15 for length in lengths) >= 5
    assert sum(length > 1500 for length in lengths) >= 3


@pytest.mark.parametrize(
    ("key", "labels"),
    [
        ("channel", "arbitration party_personnel_review accusation_handling judicial_procedure"),
        ("nature", "disclosure accusation appeal praise_other"),
        ("category_l1", "党务政务 科技与信息产业 国土资源 民政 农村农业 经济管理 纪检监察"),
        (
            "department",
            "civil_affairs natural_resources_planning agriculture_rural veterans_affairs healthcare_security taxation "
            "forestry_grassland water_resources emergency_management fire_rescue finance audit commerce "
            "industry_information_science government_services_data people_procuratorate united_front_ethnic_religious "
            "publicity_cyberspace political_legal_affairs social_work_dept mass_organizations justice petition_bureau "
            "state_owned_assets",
        ),
    ],
)
def test_the_rare_set_holds_enough_of_every_rare_class(key: str, labels: str) -> None:
    found = count(RARE, key)
    assert len(RARE) >= 600
    assert {label: found[label] for label in labels.split() if found[label] < 12} == {}


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_dir(), reason="the real messages are not on this machine")
def test_no_sample_borrows_from_a_real_message() -> None:
    ours = [*ALL, *URGENT]
    written = {row["text"][start : start + 14]: row["id"] for row in ours for start in range(len(row["text"]) - 13)}
    real = "\n".join(path.read_text(encoding="utf-8") for path in sorted(REAL.glob("messages_*.csv")))
    runs = (real[start : start + 14] for start in range(len(real) - 13))
    assert {written[run] for run in runs if run in written} == set()


def test_the_urgent_texts_are_ours_alone_and_of_many_wordings() -> None:
    assert len({row["id"] for row in URGENT}) == len(URGENT)
    assert len({normalise(row["text"]).text for row in URGENT}) == len(URGENT)
    assert all(set(row["flags"]) <= FLAGS and row["text"] == row["text"].strip() != "" for row in URGENT)
