"""The orders that rest on something the user sent: a power of attorney, a withdrawal, a request for erasure."""

from models.errors import Refused
from models.inquiry import EMAIL
from records import contacts, documents, messages
from records.erasing import is_erased
from starter.admin.bodies import AcceptRepresentativeBody, Body
from starter.admin.gathering import messages_of
from starter.admin.writer import OrderData, Writer


def accept_representative(by: Writer, body: AcceptRepresentativeBody) -> OrderData:
    """The holder's address, and the power itself, which must have come with the inquiry."""
    of_case = [row.id for row in messages_of(by.session, by.case)]
    files = documents.attachments_of(by.session, of_case)
    if body.document not in {file.sha256 for of_message in files.values() for file in of_message}:
        raise Refused("representative.no-document", "no file of this inquiry has that hash", field="document")
    contact, address = contacts.find_or_add(by.session, EMAIL, body.email, now=by.now)
    known = by.case
    if contact == known.contact:
        raise Refused("representative.user", "that is the user's own address", field="email")
    order = body.model_dump(mode="json", exclude={"email"})
    return {**order, "address": address.model_copy(update={"registered": False}).model_dump(mode="json")}


def withdraw(by: Writer, body: Body) -> OrderData:
    """The user's own message must say so."""
    order = body.model_dump(mode="json", exclude_none=True)
    of_case = messages_of(by.session, by.case)
    if order["message"] not in {row.id for row in of_case if not row.third_party}:
        raise Refused(
            "withdraw.no-message",
            "name the message of this inquiry in which the user says so",
            field="message",
            rule="M5.7",
        )
    return order


def request_erasure(by: Writer, body: Body) -> OrderData:
    """The same person's message must say so; after the end of this inquiry it opened another one."""
    order = body.model_dump(mode="json", exclude_none=True)
    case = by.case
    try:
        asked = messages.get(by.session, order["message"])
    except KeyError:
        asked = None
    if asked is None or asked.third_party or asked.contact != case.contact:
        raise Refused("erasure.no-message", "name the user's own message that asks for it", field="message")
    if asked.reference == case.reference and is_erased(asked):
        raise Refused("erasure.asked", "that message is erased; name one that came since", field="message")
    return order
