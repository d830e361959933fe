"""The label systems: complete, consistent, stable; every fault told at once."""

import dataclasses
import re
from pathlib import Path

import pytest

from nlp.errors import TaxonomyError
from nlp.petition import HEADS
from nlp.taxonomy import Neighbour, Taxonomy, load_taxonomy, loading
from nlp.taxonomy.loading import check
from nlp.taxonomy.records import SEPARATOR


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def test_every_head_has_its_number_of_labels(taxonomy):
    sizes = {head: len(taxonomy.labels[head]) for head in HEADS}
    # The 103 second-level classes of the national classification and an 其他 under each of the 15 first-level ones.
    assert sizes == {"category_l1": 15, "category_l2": 103 + 15, "nature": 8, "channel": 9, "department": 45}
    assert sum(label.endswith("/其他") for label in taxonomy.labels["category_l2"]) == 15


def test_labels_of_a_head_are_distinct(taxonomy):
    for head in HEADS:
        assert len(set(taxonomy.labels[head])) == len(taxonomy.labels[head])


def test_every_second_level_label_begins_with_a_first_level_label(taxonomy):
    parents = {label.partition(SEPARATOR)[0] for label in taxonomy.labels["category_l2"]}
    assert parents == set(taxonomy.labels["category_l1"])


def test_every_label_has_a_chinese_name(taxonomy):
    for head in HEADS:
        for label in taxonomy.labels[head]:
            assert re.search(r"[\u4e00-\u9fff]", taxonomy.name(head, label)), (head, label)


def test_the_name_of_a_second_level_class_leaves_out_the_first_level(taxonomy):
    assert taxonomy.name("category_l2", "城乡建设/住房保障与房地产") == "住房保障与房地产"


def test_every_channel_names_its_article_its_handlers_and_its_natures(taxonomy):
    for channel in taxonomy.channels:
        assert channel.article, channel.code
        assert channel.handlers, channel.code
        assert channel.natures, channel.code


def test_every_nature_is_served_by_a_channel(taxonomy):
    served = {nature for channel in taxonomy.channels for nature in channel.natures}
    assert served == {nature.code for nature in taxonomy.natures}


def test_unknown_codes_are_key_errors(taxonomy):
    for look_up in (taxonomy.category, taxonomy.channel, taxonomy.department):
        with pytest.raises(KeyError):
            look_up("没有这一项")
    with pytest.raises(KeyError):
        taxonomy.name("department", "no_such_department")


def test_records_are_found_by_name_or_code(taxonomy):
    assert taxonomy.category("民政").name == "民政"
    assert taxonomy.channel("petition_procedure").code == "petition_procedure"
    assert taxonomy.department("transport").code == "transport"


def test_the_version_carries_a_hash_of_the_content_that_loading_again_does_not_change(taxonomy):
    loading._standard.cache_clear()
    again = load_taxonomy()
    assert again is not taxonomy
    assert again.version == taxonomy.version
    assert re.fullmatch(r"\d+\.\d+\+[0-9a-f]{12}", taxonomy.version)


@pytest.fixture
def changed_files(tmp_path, monkeypatch):
    folder = Path(loading.__file__).parent
    for name in loading._FILES:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    monkeypatch.setattr(loading.resources, "files", lambda _: tmp_path)
    loading._standard.cache_clear()
    yield tmp_path
    loading._standard.cache_clear()


def test_another_content_has_another_hash(taxonomy, changed_files):
    with (changed_files / "natures.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert load_taxonomy().content_hash != taxonomy.content_hash


def test_inconsistent_files_do_not_load(changed_files):
    path = changed_files / "channels.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("people_court", "people_curt"), encoding="utf-8")
    with pytest.raises(TaxonomyError, match="unknown handler 'people_curt'"):
        load_taxonomy()


def test_all_faults_are_told_at_once(taxonomy):
    channel, *channels = taxonomy.channels
    first, second, *departments = taxonomy.departments
    broken = dataclasses.replace(
        taxonomy,
        categories=(*taxonomy.categories, taxonomy.categories[0]),
        channels=(dataclasses.replace(channel, natures=("whim",), handlers=("nobody",)), *channels),
        departments=(
            dataclasses.replace(first, near=(Neighbour(other="nowhere", rule="看地点"),)),
            dataclasses.replace(second, parent="ghost"),
            *departments,
        ),
    )
    handlers = {handler for channel in taxonomy.channels for handler in channel.handlers}
    faults = "\n".join(check(broken, special_targets=handlers))
    for sign in ("occurs 2 times", "'whim'", "'nobody'", "'nowhere'", "'ghost'"):
        assert sign in faults
