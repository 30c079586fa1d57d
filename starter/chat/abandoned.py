"""Letters put before a visitor who left without seeing them, or whose session ended before they came back.

To the chat they were accepted, and nobody would ever read them. So they are given back, as a mailbox gives back a mail:
the case owes them again and sends them to the next address of the visitor's, or says that it has none (M4.2).
"""

from datetime import datetime

from channels.report import Delivery, DeliveryEvent
from models.inquiry import CHAT
from models.tables import ChatEvent
from records import chat
from records.database import Database
from starter.reception.intake import Intake


def give_back(database: Database, intake: Intake, now: datetime) -> int:
    """Give back what lies unseen before visitors who have left, or whose session is over; return how many letters.

    Call it every minute or so; called twice at once, each letter comes back once. `now` is aware UTC. Raises
    RecordsUnavailable.
    """
    with database.read() as session:
        letters = chat.abandoned(session, now)
    if not letters:
        return 0
    intake.notice_event([_came_back(letter, now) for letter in letters])
    with database.write() as session:
        for letter in letters:
            chat.settle(session, letter.session, letter.seq, now)
    return len(letters)


def _came_back(letter: ChatEvent, now: datetime) -> DeliveryEvent:
    return DeliveryEvent(
        event_id=f"{CHAT}/{letter.session}/{letter.seq}/left",
        notice=letter.key,
        message_id=letter.message_id,
        kind=Delivery.BOUNCE,
        hard=True,
        at=now,
        reason="the visitor left the chat without seeing it",
    )
