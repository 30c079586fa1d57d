"""Joining an incident that the tracker has already: what the caller sends, and the order made of it (M5.6)."""

from typing import Annotated

from pydantic import BeforeValidator

from models.errors import Refused
from models.joining import IncidentKey, incident_as_we_write_it
from records import incident_words, incidents
from starter.admin.bodies import Body
from starter.admin.writer import OrderData, Writer


class JoinIncidentBody(Body):
    """This inquiry is about an incident that the tracker has already (M5.6); its key stands on the board."""

    incident: Annotated[IncidentKey, BeforeValidator(incident_as_we_write_it)]

    @property
    def whose(self) -> str:
        """The reference of the inquiry that has it."""
        return self.incident.partition("/")[0]


def join_incident(by: Writer, body: JoinIncidentBody) -> OrderData:
    """How the incident stands, and the last that was said of it."""
    try:
        row = incidents.get(by.session, body.incident)
    except KeyError:
        raise unknown_incident() from None
    last = incident_words.last(by.session, row.key)
    return {
        "incident": row.key,
        "area": row.area,
        "matter": row.matter,
        "state": row.state,
        "opened_at": row.opened_at.isoformat(),
        "changed_at": row.changed_at.isoformat(),
        "heard": last.heard,
        "words": last.words or None,
        "outcome": last.outcome or None,
    }


def unknown_incident() -> Refused:
    """No tracker was told of that incident, or it belongs to an inquiry that is hidden from whoever asks."""
    return Refused("incident.unknown", "no tracker was told of such an incident", field="incident", rule="M5.6")
