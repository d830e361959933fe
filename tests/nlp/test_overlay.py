"""An office's own directory over the standard one."""

from datetime import date

import pytest

from nlp.errors import TaxonomyError
from nlp.taxonomy import load_taxonomy, read_overlay

GOOD = """
office: C3县信访局
departments:
  urban_management: {name: 县综合行政执法局, aliases: [城管大队], from: 2024-03-01, until: 2025-12-31}
  postal_communications_regulation: {substitute: industry_information_science}
"""


@pytest.fixture
def overlay(tmp_path):
    def write(content: str):
        path = tmp_path / "office.yaml"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def faults(path):
    with pytest.raises(TaxonomyError) as caught:
        read_overlay(path, load_taxonomy())
    assert str(path) in str(caught.value)
    return caught.value.faults


def test_local_names_replace_the_standard_ones_which_stay_as_aliases(overlay):
    taxonomy = load_taxonomy(overlay(GOOD), on=date(2025, 1, 1))
    unit = taxonomy.department("urban_management")
    assert (taxonomy.office, unit.name) == ("C3县信访局", "县综合行政执法局")
    assert unit.aliases[0] == "城管大队"
    assert load_taxonomy().department("urban_management").name in unit.aliases
    assert taxonomy.name("department", "urban_management") == "县综合行政执法局"


def test_a_unit_that_does_not_exist_names_who_acts_instead(overlay):
    taxonomy = load_taxonomy(overlay(GOOD), on=date(2025, 1, 1))
    assert taxonomy.department("postal_communications_regulation").substitute == "industry_information_science"


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2024, 2, 29), False),
        (date(2024, 3, 1), True),
        (date(2025, 12, 31), True),
        (date(2026, 1, 1), False),
    ],
)
def test_an_entry_holds_from_its_first_to_its_last_day(overlay, day, holds):
    name = load_taxonomy(overlay(GOOD), on=day).department("urban_management").name
    assert (name == "县综合行政执法局") is holds


def test_an_overlay_changes_neither_codes_nor_version(overlay):
    local, standard = load_taxonomy(overlay(GOOD), on=date(2025, 1, 1)), load_taxonomy()
    assert local.version == standard.version
    assert local.labels == standard.labels
    assert standard.office is None


def test_all_faults_are_told_at_once(overlay):
    found = "\n".join(
        faults(
            overlay(
                """
office: ""
town: x
departments:
  no_such_unit: {name: 甲}
  transport: {nam: 乙, name: 7, aliases: 城管, from: 2024-13, until: 2020-01-01}
  civil_affairs: {from: 2024-02-01, until: 2024-01-01}
  public_security: {substitute: public_security}
  education: {substitute: nobody}
  ecology_environment: {substitute: [transport]}
  emergency_management: {substitute: public_security}
  health: text
"""
            )
        )
    )
    for sign in (
        "没有 'town' 这一项；可写 departments、office",
        "office 须写本机关的名称",
        "no_such_unit：标准目录里没有这个部门代码",
        "transport：没有 'nam' 这一项",
        "transport：name 须为文字",
        "transport：aliases 须为若干文字的列表",
        "transport：from 须为日期，如 2024-03-01，写的是 '2024-13'",
        "civil_affairs：from 2024-02-01 晚于 until 2024-01-01",
        "public_security：substitute 就是本部门",
        "education：substitute 'nobody' 不是部门代码",
        "ecology_environment：substitute ['transport'] 不是部门代码",
        "emergency_management：substitute 'public_security' 在本地也没有",
    ):
        assert sign in found, sign
    # The same fault is told of every entry, whatever its code.
    assert found.count("组成，写的是") + found.count("health：标准目录里没有") == 1


@pytest.mark.parametrize("content", ["- a list", "office: 甲", "office: [", "office: 甲\ndepartments: []"])
def test_what_is_no_overlay_at_all_is_refused(overlay, content):
    assert len(faults(overlay(content))) == 1


def test_a_missing_or_undecodable_file_is_refused(tmp_path):
    assert "不能按 UTF-8 的 YAML 读取" in faults(tmp_path / "missing.yaml")[0]
    path = tmp_path / "gbk.yaml"
    path.write_bytes("office: 信访局".encode("gbk"))
    assert "UTF-8" in faults(path)[0]
