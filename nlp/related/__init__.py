"""Related petitions: same text, near-duplicates, the same matter again, campaigns of many.

Found on masked text at intake over the stored petitions and shown as "possibly the same as"; never merged by the
system. Measured in docs/related.md.
"""

from nlp.related.index import RelatedIndex, text_digest
from nlp.related.matter import SAME_MATTER, keys_from_bytes, keys_to_bytes, matter_keys
from nlp.related.relation import RELATIONS, Fact, Match, News, Related, Relation, facts_in, news_in, untold
from nlp.related.signature import band_keys, from_bytes, sign, to_bytes

__all__ = [
    "RELATIONS", "SAME_MATTER", "Fact", "Match", "News", "Related", "RelatedIndex", "Relation", "band_keys", "facts_in",
    "from_bytes", "keys_from_bytes", "keys_to_bytes", "matter_keys", "news_in", "sign", "text_digest", "to_bytes",
    "untold",
]  # fmt: skip
