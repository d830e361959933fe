"""The records of the label systems."""

from dataclasses import dataclass
from functools import cached_property

from nlp.petition import Certainty, Head

VERSION = "1.0"
"""Raised by hand whenever a code is added, removed or changes its meaning."""

SEPARATOR = "/"
"""Between first and second level in a label of the head category_l2, whose names are not unique on their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subcategory:
    """A second-level content class; `third_level` names describe it and are not predicted."""

    code: str
    name: str
    third_level: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """A first-level content class."""

    code: str
    name: str
    second_level: tuple[Subcategory, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Nature:
    """What a petition is by nature; `group` is its class in art. 29-31."""

    code: str
    name: str
    group: str
    definition: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A legal channel with the article it rests on, who may handle it and the natures it serves."""

    code: str
    name: str
    article: str
    handlers: tuple[str, ...]
    handling: str
    natures: tuple[str, ...]
    certainty: Certainty


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """How a department differs from one it is often confused with."""

    other: str
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Department:
    """A responsible unit of the standard county-level directory.

    `substitute` is set by an overlay where the unit does not exist locally: the code of the unit that acts instead.
    """

    code: str
    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    basis: str = ""
    matters: tuple[str, ...] = ()
    near: tuple[Neighbour, ...] = ()
    must_review: bool = False
    petition_recipient: bool = True
    parent: str | None = None
    local_varies: str | None = None
    substitute: str | None = None


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """All label systems together. `content_hash` covers the standard data, not an office's local names."""

    categories: tuple[Category, ...]
    natures: tuple[Nature, ...]
    channels: tuple[Channel, ...]
    departments: tuple[Department, ...]
    content_hash: str
    office: str | None = None

    @property
    def version(self) -> str:
        """What bundles and stored results carry, such as "1.0+3f9a1c2b7d10"."""
        return f"{VERSION}+{self.content_hash}"

    @cached_property
    def labels(self) -> dict[Head, tuple[str, ...]]:
        """The labels of every head in the order of the model's outputs, as annotations spell them."""
        return {
            "category_l1": tuple(category.name for category in self.categories),
            "category_l2": tuple(
                f"{category.name}{SEPARATOR}{sub.name}" for category in self.categories for sub in category.second_level
            ),
            "nature": tuple(nature.code for nature in self.natures),
            "channel": tuple(channel.code for channel in self.channels),
            "department": tuple(department.code for department in self.departments),
        }

    @cached_property
    def _names(self) -> dict[tuple[Head, str], str]:
        names: dict[tuple[Head, str], str] = {}
        for head, records in (
            ("nature", self.natures),
            ("channel", self.channels),
            ("department", self.departments),
        ):
            names.update({(head, record.code): record.name for record in records})  # type: ignore[misc]
        return names

    def name(self, head: Head, code: str) -> str:
        """Return the Chinese name of a label; for categories that is (the second part of) the label itself.

        Raises KeyError for an unknown code.
        """
        if head in ("category_l1", "category_l2"):
            return code.rpartition(SEPARATOR)[2]
        return self._names[head, code]

    def category(self, name: str) -> Category:
        """Return the first-level class called `name`; raises KeyError if there is none."""
        return {category.name: category for category in self.categories}[name]

    def channel(self, code: str) -> Channel:
        """Return the channel `code`; raises KeyError if there is none."""
        return {channel.code: channel for channel in self.channels}[code]

    def acting(self, code: str) -> str:
        """Return the code of the department that acts locally for the department `code`: mostly itself."""
        return self.department(code).substitute or code

    def department(self, code: str) -> Department:
        """Return the department `code`; raises KeyError if there is none."""
        return {department.code: department for department in self.departments}[code]
