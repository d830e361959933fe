"""The documents of pre-training: what is measured on later is not read, neither the message nor the reply to it."""

import csv

from training.corpus import MESSAGES, in_domain_documents
from training.split import SHARES, read_splits


def test_messages_of_held_splits_are_not_read_nor_the_replies_to_them(tmp_path):
    splits = read_splits()
    ids = {split: next(id_ for id_, home in sorted(splits.items()) if home == split) for split in SHARES}
    for name, reply in zip(MESSAGES, ("", "答复"), strict=True):
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "title", "text", "official_reply"])
            writer.writerows([id_, "", f"正文{split}", reply and f"{reply}{split}"] for split, id_ in ids.items())
            writer.writerow(["unheard-of", "", "正文新来", ""])
    assert list(in_domain_documents(tmp_path)) == ["正文fit", "正文新来", "正文fit", "答复fit", "正文新来"]
