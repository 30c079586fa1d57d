"""The tables of the records database. Only `records/` opens a session on them; workflows never import this package.

Rows are what `records/` hands out: loaded once, readable after their session, and never written back by changing them.
Every time is aware UTC. Texts, names and addresses are personal data and stand nowhere else.
"""

from models.tables.access import ApiKey, AuditLine, GrantRow, StoredAnswer
from models.tables.case import FAR, CaseRow, ObligationRow, StatusToken
from models.tables.chain import EventRow, EventText, Salt
from models.tables.channels import Binding, FeedRow, NoticePart, RemoteFile, SettledGap, StreamNumber
from models.tables.chat import ChatEvent, ChatSession, ChatTicket
from models.tables.hooks import Delivery, PublishedEvent, Webhook
from models.tables.inbox import Contact, ContactAddress, Dispatch, StoredAttachment, StoredMessage, StoredPost
from models.tables.incidents import IncidentComment, IncidentJoin, IncidentRow, IncidentWord, TrackerEvent
from models.tables.letters import DraftRow, Notice, NoticeEvent, NoticeState
from models.tables.quality import VerdictRow
from models.tables.restores import LostMessage, RestoreRow
from models.tables.staff import AbsenceRow, ShiftRow, SignInRow, StaffRow, TrainingRow

__all__ = [
    "FAR",
    "AbsenceRow",
    "ApiKey",
    "AuditLine",
    "Binding",
    "CaseRow",
    "ChatEvent",
    "ChatSession",
    "ChatTicket",
    "Contact",
    "ContactAddress",
    "Delivery",
    "Dispatch",
    "DraftRow",
    "EventRow",
    "EventText",
    "FeedRow",
    "GrantRow",
    "IncidentComment",
    "IncidentJoin",
    "IncidentRow",
    "IncidentWord",
    "LostMessage",
    "Notice",
    "NoticeEvent",
    "NoticePart",
    "NoticeState",
    "ObligationRow",
    "PublishedEvent",
    "RemoteFile",
    "RestoreRow",
    "Salt",
    "SettledGap",
    "ShiftRow",
    "SignInRow",
    "StaffRow",
    "StatusToken",
    "StoredAnswer",
    "StoredAttachment",
    "StoredMessage",
    "StoredPost",
    "StreamNumber",
    "TrackerEvent",
    "TrainingRow",
    "VerdictRow",
    "Webhook",
]
