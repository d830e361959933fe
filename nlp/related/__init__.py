"""Related petitions: same text, near-duplicates, the same matter again, campaigns of many.

Found on masked text at intake over the stored petitions and shown as "possibly the same as"; never merged by the
system. Measured in docs/related.md.
"""

from nlp.related.index import RelatedIndex, text_digest
from nlp.related.relation import RELATIONS, Match, News, Related, Relation, news_in
from nlp.related.signature import band_keys, from_bytes, sign, to_bytes

__all__ = [
    "RELATIONS", "Match", "News", "Related", "RelatedIndex", "Relation", "band_keys", "from_bytes", "news_in", "sign",
    "text_digest", "to_bytes",
]  # fmt: skip
