"""What a case consists of. Fields are only ever added, with defaults under which old cases stay as they were."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from models.agenda import Asked, FollowUp
from models.alerts import Alert, Urgency
from models.area_work import Incident, Referral, Verification
from models.calendar import BusinessCalendar
from models.episodes import Answer, Appeal, Erasure, Escalation, Extension, FinalAnswer, Proposal, RaisedPoint, Remedy
from models.identity import Representative
from models.inquiry import EMAIL, Address, Area, Channel, Kind, Language
from models.ledger import GENESIS, Fact
from models.letters import Letter
from models.obligations import Obligation
from models.terms import Terms


class CaseData(BaseModel):
    """One inquiry as it stands. All times are aware UTC; it keeps its `terms` and `calendar` (reading 13).

    `contact`, the addresses' ids and `salt` are opaque: whom they stand for is known only to the records database.
    """

    model_config = ConfigDict(extra="ignore")

    reference: str
    kind: Kind
    language: Language
    channel: Channel
    contact: str
    salt: str
    addresses: tuple[Address, ...]
    bound: bool = False
    received_at: AwareDatetime
    submitted_at: AwareDatetime
    opened_at: AwareDatetime
    terms: Terms
    calendar: BusinessCalendar
    refers_to: str = ""
    compartment: tuple[str, ...] | None = None
    """Who alone sees the case, beside compliance; None where it is no secret."""

    about: tuple[str, ...] = ()
    """Whom of the staff the complaint is about."""

    owner: str = ""
    area: Area = "cx"
    channel_now: Channel = EMAIL
    dead: tuple[str, ...] = ()
    visits: dict[Channel, AwareDatetime] = {}
    """When the person was last known to be on a visit, by each channel where one has an address of its own."""

    obligations: list[Obligation] = []
    letters: list[Letter] = []
    told: AwareDatetime | None = None
    referrals: list[Referral] = []
    verifications: list[Verification] = []
    incidents: list[Incident] = []
    points: list[RaisedPoint] = []
    remedies: list[Remedy] = []
    alerts: list[Alert] = []
    urgent: Urgency | None = None
    extensions: list[Extension] = []
    escalation: Escalation | None = None
    final: FinalAnswer | None = None
    appeals: list[Appeal] = []
    proposal: Proposal | None = None
    erasure: Erasure | None = None
    information_asked_at: AwareDatetime | None = None
    representative: Representative | None = None
    linked: tuple[str, ...] = ()
    asked: list[Asked] = []
    follow_ups: list[FollowUp] = []
    withdrawn_at: AwareDatetime | None = None
    merged_into: str = ""
    ways_in: tuple[str, ...] = ()
    """The ids of the addresses where what was merged into this case was answered; the final answer goes there too."""

    window_ends: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    unread: int = 0
    heard: int = 0

    version: int = 0
    seq: int = 0
    head: str = GENESIS
    pending: list[Fact] = []
    answers: dict[str, Answer] = {}
