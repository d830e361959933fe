"""Split a petition into the appeals it holds: requests that can be handed to different offices.

`split_appeals` finds where a text turns to another matter, by numbering, connectives and the subject of each piece.
Pieces of the same matter and department are one appeal (annotation guide, rule 16); an accusation of officials stands
by itself. `assisting` and `warned` say who works together on what was split, and what must not. Measured in
docs/appeals.md.
"""

from nlp.appeals.accusations import accusations_apart
from nlp.appeals.matters import Score, word_scores
from nlp.appeals.offices import assisting, warned
from nlp.appeals.split import Appeal, Appeals, split_appeals

__all__ = [
    "Appeal",
    "Appeals",
    "Score",
    "accusations_apart",
    "assisting",
    "split_appeals",
    "warned",
    "word_scores",
]
