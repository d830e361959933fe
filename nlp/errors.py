"""Every error the product raises on purpose.

PetitionError
├── TextError        the text cannot be judged (empty, too long, not a string)
├── TableError       a table to triage cannot be read (format, columns, encoding)
├── TaxonomyError    a label system or an office's overlay is inconsistent
├── KnowledgeError   a knowledge file (rules, routes, deadlines …) is inconsistent
└── BundleError      a model bundle is missing, damaged or does not fit this program

A message says what was wrong, what was given and what is allowed. It never quotes petition text.
"""


class PetitionError(Exception):
    """Base of all errors of this product; its text is fit to be shown to a user."""


class TextError(PetitionError):
    """The text of one petition cannot be judged."""


class TableError(PetitionError):
    """A table of petitions cannot be read or written."""


class CollectedError(PetitionError):
    """An error that reports every fault found in a file at once."""

    def __init__(self, source: str, faults: list[str]) -> None:
        """Keep `faults` (one sentence each) found in `source`."""
        self.source = source
        self.faults = tuple(faults)
        super().__init__(f"{source} 有{len(faults)}处错误：\n" + "\n".join(f"- {fault}" for fault in faults))


class TaxonomyError(CollectedError):
    """A label system or an office's overlay is inconsistent."""


class KnowledgeError(CollectedError):
    """A knowledge file is inconsistent."""


class NoticeTemplateError(CollectedError):
    """An office's templates of letters are at fault."""


class BundleError(PetitionError):
    """A model bundle is missing, damaged or does not fit this program."""
