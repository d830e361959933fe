"""Drafts of the letters an office writes, as HTML and DOCX, from templates the office can edit.

Nothing is ever sent. A letter that turns a petition away is drafted only from a person's decision. What is not known
stays a blank (＿＿＿＿) and is listed. Templates and fields: docs/notices.md.
"""

from nlp.notices.drafting import NOTICES, Draft, NoticeCode, check_templates, draft_notice
from nlp.notices.facts import BLANK, Facts, NoticeError, PersonDecision, Stage

__all__ = [
    "BLANK",
    "NOTICES",
    "Draft",
    "Facts",
    "NoticeCode",
    "NoticeError",
    "PersonDecision",
    "Stage",
    "check_templates",
    "draft_notice",
]
