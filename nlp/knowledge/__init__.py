"""The law at work as validated data, every entry with its article and how sure we are of it."""

from nlp.knowledge.loading import load_knowledge
from nlp.knowledge.records import Clue, Knowledge, Lexicon, Rule

__all__ = ["Clue", "Knowledge", "Lexicon", "Rule", "load_knowledge"]
