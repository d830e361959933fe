"""Agreement of two readers, counted on rows made here."""

from training.second_reading import agreement

HEADER = "id,category_l1,category_l2,nature,channel,department\n"


def test_agreement_is_counted_per_head_and_over_category_channel_and_department(tmp_path):
    first = [
        "a,城乡建设,城乡规划,request,petition_procedure,education",
        "b,城乡建设,城乡规划,request,petition_procedure,education",
        "c,交通运输,邮政管理,opinion,suggestion_handling,education",
        "d,交通运输,邮政管理,opinion,suggestion_handling,education",
        "only-once,政法,诉讼,request,petition_procedure,education",
    ]
    second = [
        first[0],
        "b,劳动和社会保障,城乡规划,request,petition_procedure,education",  # the second level is another class, too
        "c,交通运输,邮政管理,request,suggestion_handling,education",
        "d,交通运输,邮政管理,opinion,statutory_duty,education",
    ]
    for name, rows in (("first", first), ("second", second)):
        (tmp_path / f"{name}_reading.csv").write_text(HEADER + "\n".join(rows), encoding="utf-8")
    found = agreement(tmp_path)
    assert found.rows == 4
    assert found.heads == {
        "category_l1": 0.75,
        "category_l2": 0.75,
        "nature": 0.75,
        "channel": 0.75,
        "department": 1.0,
    }
    assert found.joint == 0.5  # the nature is not among them


def test_agreement_of_the_annotations_at_hand_is_what_documents_say():
    found = agreement()
    assert (found.rows, found.joint) == (200, 0.795)
    assert list(found.heads.values()) == [0.93, 0.91, 0.945, 0.905, 0.915]
