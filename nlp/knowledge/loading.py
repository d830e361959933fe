"""Load the knowledge files of this folder and check that they fit together."""

from pathlib import Path

from nlp.errors import KnowledgeError
from nlp.knowledge.reading import parse, read_yaml, repeated
from nlp.knowledge.records import Knowledge, Lexicon, Rule
from nlp.knowledge.signals import faults_of

FOLDER = Path(__file__).parent


def load_knowledge() -> Knowledge:
    """Return the product's knowledge.

    Raises KnowledgeError listing every fault found.
    """
    faults: list[str] = []
    content = read_yaml(FOLDER / "must_review.yaml")
    (lexicon,) = parse(Lexicon, [content["lexicon"]], section="lexicon", faults=faults)
    rules = parse(Rule, content["rules"], section="must_review", faults=faults)
    codes = [rule.code for rule in rules]
    faults.extend(f"must_review {code}: the code occurs twice" for code in repeated(codes))
    for rule in rules:
        signals = [*rule.idioms, *(signal for clue in rule.clues for signal in (*clue.find, *clue.near))]
        faults.extend(f"must_review {rule.code}: {fault}" for fault in faults_of(signals, lexicon.words))
    if faults:
        raise KnowledgeError("must_review.yaml", faults)
    return Knowledge(lexicon=lexicon, rules=rules)
