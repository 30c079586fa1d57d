"""The fields a template may print, and those that each kind of letter must (letters.md; [C] head and foot, [D] review).

A field is a text, a row set (a list whose parts are texts), or a code that only decides and is never printed.
"""

from dataclasses import dataclass

from models.letters import FINALS, LetterKind

POINTER = "pointer"
"""The template that leaves in place of a letter with account content when the person is not bound."""

STEPS = (
    "received",
    "acknowledged",
    "referred",
    "findings",
    "information",
    "escalated",
    "extended",
    "answered",
)
"""What `steps` may be about."""

DETAILED = frozenset({"referred", "findings", "escalated"})
"""The steps whose detail says which area or institution."""


@dataclass(frozen=True)
class Field:
    """A field's shape: a text unless it has `parts` (rows) or `codes` (it only decides).

    `part_codes` are the codes a row may carry beside its parts; `absent` names the fields that are missing together;
    `instead_of` a group whose absence this one makes up for: it is there only then.
    """

    parts: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    part_codes: tuple[str, ...] = ()
    absent: str = ""
    instead_of: str = ""


def _text(absent: str = "") -> Field:
    return Field(absent=absent)


def _rows(*parts: str, codes: tuple[str, ...] = ()) -> Field:
    return Field(parts=parts, part_codes=codes)


def _code(*codes: str) -> Field:
    return Field(codes=codes)


FLAG = _code("", "yes")

FIELDS: dict[str, Field] = {
    # [C], of every letter
    "reference": _text(),
    "sent": _text(),
    "legal_name": _text(),
    "licences": _rows("name", "number"),
    "signer_role": _text(),
    "signer_area": _text(),
    "contact": _text(),
    "channels": _rows("label", "address"),
    "warning": _text(),
    "status_link": _text(),
    "chain_head": _text(),
    "template": _text(),
    "template_version": _text(),
    "manual_version": _text(),
    "manual_date": _text(),
    "manual_url": _text(),
    "letter_name": _text(),
    "inquiry": _text(),
    "prevailing": _text(absent="prevailing"),
    "again": FLAG,
    "copy": FLAG,
    "mail": FLAG,
    # the review, [D]
    "authority_name": _text(),
    "authority_phone": _text(),
    "authority_web": _text(),
    "authority_email": _text(absent="authority_email"),
    # reception and dates
    "received": _text(),
    "channel": _text(),
    "words": _text(absent="words"),
    "words_hash": Field(instead_of="words"),
    "answer_by": _text(absent="answer_by"),
    "promised_by": _text(),
    "cause": _code("delay", "found_late", "channel"),
    # what happens on the way
    "area": _text(absent="area"),
    "representative": _text(),
    "reasons": _text(absent="reasons"),
    "old_date": _text(absent="extension"),
    "new_date": _text(absent="extension"),
    "extension_number": _text(absent="extension"),
    "first_extension": FLAG,
    "steps": _rows("date", "detail", codes=STEPS),
    "institution": _text(absent="institution"),
    "asked": _text(absent="asked"),
    "asked_on": _text(),
    "shared": _text(absent="shared"),
    "estimate": _text(),
    "old_estimate": _text(),
    "moved": _text(),
    "old_channel": _text(),
    "new_channel": _text(),
    "old_failed": FLAG,
    "missed_on": _text(),
    "work": _code("review", "referred", "external"),
    # what a person wrote
    "text": _text(),
    "items": _rows("item", "why"),
    "by": _text(),
    "requested_on": _text(),
    "identity_link": _text(),
    "link_ends": _text(),
    "points": _rows("number", "point", "answer", "finding", "facts", "source", "rule", "why"),
    "actions": _rows("text"),
    "remedy_what": _text(absent="remedy"),
    "remedy_amount": _text(absent="remedy"),
    "remedy_by": _text(absent="remedy"),
    "done_on": _text(),
    "where_else": _text(absent="where_else"),
    # the end, and after it
    "withdrawn_on": _text(),
    "written_on": _text(absent="written_on"),
    "other": _text(),
    "leading": _text(),
    "split_points": _rows("text"),
    "file_number": _text(absent="file_number"),
    "review_by": _code("user", "authority"),
    "authority_date": _text(absent="authority_date"),
    "result": _code("upheld", "overturned", "settled"),
    "letters": _rows("name", "key", "sent", "delivered"),
}

IN_SUBJECT = frozenset({"inquiry"})
"""A subject line travels in the open: nothing else may stand in it; the reference is put before it."""

HEAD = (
    *("reference", "sent", "legal_name", "licences.name", "licences.number", "signer_role", "signer_area"),
    *("chain_head", "template", "template_version", "manual_version"),
)
COMMON = (*HEAD, "channels.label", "channels.address", "warning", "contact", "status_link")
REVIEW = ("authority_name", "authority_phone", "authority_web")
RECEIPT = (*COMMON, *REVIEW, "received", "channel", "inquiry", "words", "words_hash", "answer_by")
EXTENDED = ("old_date", "new_date", "extension_number", "first_extension", "steps.date", "steps.detail")
ANSWER = (
    *(*COMMON, *REVIEW, "points.point", "points.answer", "actions.text"),
    *("remedy_what", "remedy_amount", "remedy_by", "reasons", "where_else"),
)
REJECTED = (*ANSWER, "points.facts", "points.source", "points.rule", "points.why")

REQUIRED: dict[str, tuple[str, ...]] = {
    POINTER: (*COMMON, *REVIEW),
    LetterKind.ACKNOWLEDGEMENT: RECEIPT,
    LetterKind.ACKNOWLEDGEMENT_LATE: (*RECEIPT, "promised_by", "cause"),
    LetterKind.REPLY: (*COMMON, *REVIEW, "text", "answer_by"),
    LetterKind.REFERRAL: (*COMMON, "area", "representative", "answer_by"),
    LetterKind.INFORMATION_REQUEST: (*COMMON, "items.item", "items.why", "by", "answer_by"),
    LetterKind.INFORMATION_REMINDER: (*(*COMMON, "items.item", "items.why", "requested_on", "by", "answer_by"),),
    LetterKind.IDENTITY_REQUEST: (*COMMON, "reasons", "identity_link", "link_ends", "answer_by"),
    LetterKind.EXTENSION: (*COMMON, *REVIEW, *EXTENDED, "reasons"),
    LetterKind.EXTERNAL: (
        *COMMON,
        *REVIEW,
        *EXTENDED,
        "institution",
        "reasons",
        "asked",
        "asked_on",
        "estimate",
        "shared",
    ),
    LetterKind.RE_ESTIMATE: (
        *(*COMMON, *REVIEW, *EXTENDED, "institution", "old_estimate", "estimate", "reasons", "moved"),
    ),
    LetterKind.CHANNEL_CHANGE: (*COMMON, "old_channel", "new_channel", "reasons", "old_failed", "answer_by"),
    LetterKind.INVITATION: ("contact", "warning"),
    LetterKind.UNREADABLE: (*COMMON, *REVIEW, "received", "channel", "answer_by"),
    LetterKind.MISSED: (*COMMON, *REVIEW, "missed_on", "cause", "work", "area", "institution", "estimate"),
    **dict.fromkeys(FINALS.values(), ANSWER),
    LetterKind.FINAL_PARTIAL: REJECTED,
    LetterKind.FINAL_UNFOUNDED: REJECTED,
    LetterKind.FINAL_INADMISSIBLE: REJECTED,
    LetterKind.WITHDRAWN: (*COMMON, *REVIEW, "words", "words_hash", "withdrawn_on", "written_on"),
    LetterKind.REOPENED: (*COMMON, *REVIEW, "received", "answer_by", "reasons"),
    LetterKind.MERGED: (*COMMON, "leading", "other", "received", "answer_by"),
    LetterKind.SPLIT: (*COMMON, "other", "split_points.text", "received", "answer_by"),
    LetterKind.REMEDY_DONE: (*COMMON, "remedy_what", "remedy_amount", "done_on"),
    LetterKind.REVIEW_NOTED: (*(*COMMON, "authority_name", "file_number", "review_by", "authority_date", "answer_by"),),
    LetterKind.REVIEW_RESULT: (*COMMON, "authority_name", "file_number", "result", "text"),
    LetterKind.ERASURE_DONE: (*COMMON, *REVIEW, "requested_on"),
    LetterKind.AUTHORITY_REPLY: (
        *(*HEAD, "authority_name", "file_number", "received", "channel", "inquiry", "words", "text"),
        *("steps.date", "steps.detail", "letters.name", "letters.key", "letters.sent", "letters.delivered"),
    ),
}
"""What each template must print whenever it is there; a code or flag must decide something in it."""

ALLOWED: dict[str, frozenset[str]] = {LetterKind.INVITATION: frozenset({"contact", "warning"})}
"""The only fields that a template may use whose letter is posted where everybody can read it."""
