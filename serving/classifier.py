"""What the server needs from the router, so that it can be tested and swapped without a model."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from nlp.decide import Thresholds
from nlp.knowledge import Knowledge
from nlp.petition import Petition, Suggestion
from nlp.taxonomy import Taxonomy


class BundleInfo(Protocol):
    """What is shown of the bundle in service."""

    @property
    def id(self) -> str:
        """Name and content hash."""
        ...

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        ...

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Figures on the test split."""
        ...


class Classifier(Protocol):
    """A router: a petition in, a suggestion out; not thread-safe."""

    @property
    def taxonomy(self) -> Taxonomy:
        """The label systems the answers are in."""
        ...

    @property
    def knowledge(self) -> Knowledge:
        """The law and the office practice the answers rest on."""
        ...

    @property
    def bundle(self) -> BundleInfo:
        """The bundle that answers."""
        ...

    @property
    def thresholds(self) -> Thresholds:
        """What an answer must clear to be accepted without a person."""
        ...

    def suggest(self, petition: Petition) -> Suggestion:
        """Return the suggestion for `petition`; raises TextError where it cannot be judged."""
        ...


LoadClassifier = Callable[[Path | None], Classifier]
"""Loads and verifies a bundle folder (None: the bundled default); raises BundleError."""
