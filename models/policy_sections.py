"""The sections of `policy.toml`, one class each, read strictly: what may be written, in which bounds."""

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from models.episodes import IncidentState
from models.inquiry import ActorId, Area, Channel, Kind, Language, Outcome, Role
from models.letters import LetterKind
from models.policy_file import Bilingual, Section, Text
from models.terms import Currency, Days, Matter, Minutes, Place, Seconds, TermSettings, Warnings

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+[^\s/]$", max_length=300)]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,6}$")]
Email = Annotated[str, StringConstraints(pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$", max_length=254)]
Positive = Annotated[int, Field(ge=1)]

APPROVABLE = (
    *("extend", "escalate", "re_estimate", "resolve", "appeal_decided", "change_channel", "withdraw", "reopen"),
    *("merge", "split", "reclassify", "erase", "promise_remedy"),
    *(f"resolve.{outcome.value}" for outcome in Outcome),
)
"""The commands that may want a second pair of eyes."""


class Licence(Section):
    """A licence of the operator, as the letters print it."""

    number: Text
    name: Bilingual


class Operator(Section):
    """Who answers."""

    name: Text
    legal_name: Text
    address: Text
    reference_prefix: Prefix
    website: Url
    manual_url: Url
    status_base_url: Url
    licences: tuple[Licence, ...]
    warning: Bilingual


class ManualVersion(Section):
    """A language's version of the manual (M7.1)."""

    version: Text
    date: date


class Manual(Section):
    """The manual's versions by language."""

    es: ManualVersion
    en: ManualVersion


class Authority(Section):
    """Where a review may be asked for (M3.10); an empty `email` means that the authority's own order names it."""

    name: Bilingual
    phone: Text
    web: Url
    email: Email


class ChannelSettings(Section):
    """An established channel (M2.1): its public address, and the channel that carries its letters (M4.1).

    `conversation`: a message without any other sign belongs to the inquiry that is open with its sender there.
    """

    label: Bilingual
    address: Text
    answered_by: Channel
    enabled: bool
    conversation: bool = False


class Channels(Section):
    """All channels, each a section of its own; `fallback` is the order they are tried in when one fails (reading 8)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Channel, ChannelSettings]

    fallback: tuple[Channel, ...]

    @property
    def named(self) -> dict[Channel, ChannelSettings]:
        """The channels by name, in the file's order."""
        return self.__pydantic_extra__


class AreaSettings(Section):
    """A specialised area: its name, its designated representative and the deputy, and how letters call the two.

    M3.3, M5.4. Both are ids of the staff; their titles are what the user reads.
    """

    label: Bilingual
    representative: ActorId
    deputy: ActorId
    representative_title: Bilingual
    deputy_title: Bilingual


class Staff(Section):
    """Whom a matter goes to, and who is told, when nobody else is there: the first of them who is present."""

    supervisors: Annotated[tuple[ActorId, ...], Field(min_length=1)]
    compliance: Annotated[tuple[ActorId, ...], Field(min_length=1)]


class BreakGlass(Section):
    """Who may open one hidden case to themselves, for how many minutes, and who is alarmed by it."""

    roles: tuple[Role, ...]
    minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    alarms: tuple[ActorId, ...]


class Rights(Section):
    """Areas whose cases only their own members see, beside the roles of `open_to`; who sees every compartment."""

    closed_areas: tuple[Area, ...]
    open_to: tuple[Role, ...]
    compartments_open_to: tuple[Role, ...]
    break_glass: BreakGlass


class Signing(Section):
    """Who signs the letters: a role and an area, never a person."""

    role: Bilingual
    area: Area


class Jira(Section):
    """The project in Jira, and what its own names mean: of a status, or of a resolution where that says more."""

    enabled: bool
    project: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,9}$")]
    issue_type: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    states: dict[Annotated[str, StringConstraints(min_length=1, max_length=60)], IncidentState]


class SignedWebhook(Section):
    """A tracker that takes signed posts and sends them."""

    enabled: bool


class Tracker(Section):
    """The incident tool (M5.6): which one takes new incidents, what an outside one is told, what they may be about."""

    use: Literal["builtin", "jira", "webhook"]
    leaves: Literal["reference", "reference_and_description"]
    matters: dict[Matter, Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]]
    jira: Jira
    webhook: SignedWebhook

    @property
    def enabled(self) -> tuple[str, ...]:
        """The trackers that are switched on; the built-in one always is."""
        outside = {"jira": self.jira.enabled, "webhook": self.webhook.enabled}
        return ("builtin", *(name for name, wanted in outside.items() if wanted))

    def title(self, reference: str, n: int, matter: Matter) -> str:
        """Return an incident's title, the same for every operator's tool; nothing of a person is in it."""
        words = self.matters.get(matter)
        return f"{reference} incident {n}: {words}" if words else f"{reference} incident {n}"


class CalendarSettings(Section):
    """Which days count, and how many days ahead of its reception a case knows them (reading 3)."""

    zone: Text
    territory: Text
    city_days: bool
    horizon_days: Annotated[int, Field(ge=200, le=1500)]


class TermsSection(TermSettings):
    """`[terms]`, read strictly."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Approval(Section):
    """The commands that want a second pair of eyes (M3.9, M5.3), and whether a newer message forbids the approval."""

    required: tuple[str, ...]
    stale_after_message: bool


class Erasure(Section):
    """Within how many business days a request for erasure is answered once the case is closed, and what stays.

    `warnings` are the business days before that date when the owner is reminded; `keeps` the letters whose words stay.
    """

    business_days: Days
    warnings: Warnings
    keeps: tuple[LetterKind, ...]


class Identity(Section):
    """Where a person shows who they are: a page behind the operator's own sign-in, and how long its link holds."""

    link: Url
    link_hours: Annotated[int, Field(ge=1, le=720)]


class Information(Section):
    """How many business days before the day given the user is reminded of what was asked for; 0: never (M3.8)."""

    reminder_business_days: Annotated[int, Field(ge=0, le=30)]


class Reminders(Section):
    """Who is told in turn before a due date, how long before it approvers are told again, and when nobody is.

    With `agenda` they are also told of follow-ups that have come and of information that has not. `link` and a
    reference is where colleagues find a case.
    """

    order: Annotated[tuple[Place, ...], Field(min_length=1)]
    agenda: bool
    approvers_before_business_days: Days
    quiet_from_hour: Annotated[int, Field(ge=1, le=23)]
    link: Url


class Digest(Section):
    """When colleagues get their morning digest, a local hour of business days, and how far ahead it looks."""

    hour: Annotated[int, Field(ge=0, le=23)]
    due_business_days: Annotated[int, Field(ge=1, le=30)]


class UrgentMatter(Section):
    """A matter that cannot wait: its name, and in each language the words that tell of it (`models.urgency`)."""

    label: Bilingual
    es: tuple[Text, ...]
    en: tuple[Text, ...]


class Urgent(Section):
    """What cannot wait, whom it alarms in turn, and the minutes between the alarms, the last again and again."""

    order: Annotated[tuple[Place, ...], Field(min_length=1)]
    minutes: Annotated[tuple[Minutes, ...], Field(min_length=1)]
    matters: dict[Matter, UrgentMatter]

    @property
    def lines(self) -> dict[Matter, tuple[str, ...]]:
        """Every line of words by its matter, whatever its language: people mix them."""
        return {name: (*matter.es, *matter.en) for name, matter in self.matters.items()}


class Referral(Section):
    """By when an area answers a question inside the house, in business days, and what precedes and follows (M5.4)."""

    answer_business_days: Days
    reminder_business_days: Annotated[int, Field(ge=0, le=400)]
    escalate_to_deputy: bool


class Verification(Section):
    """The final answers that want an area's verification, and whether Customer Experience can give it (M5.3)."""

    finals: tuple[Outcome, ...]
    cx_counts: bool


class Remedies(Section):
    """Promised remedies (M3.8): above which amounts another person approves (M5.3), and the area that confirms them.

    `warnings` are business days before the date promised.
    """

    approval_above: dict[Currency, Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}(\.[0-9]{1,18})?$")]]
    confirmed_by: Area
    warnings: Warnings


class Letters(Section):
    """The letters copied to the registered e-mail (reading 7), and the language that prevails (reading 12).

    `undo_seconds` is how long a letter that a person ordered waits and can be taken back.
    """

    copied: tuple[LetterKind, ...]
    prevailing_language: Literal[Language.ES, Language.EN]
    undo_seconds: Annotated[int, Field(ge=0, le=3600)]


class Notices(Section):
    """How long a sending with an unknown end waits, and how long deliveries are gathered, in seconds."""

    unknown_wait_seconds: Seconds
    before_due_seconds: Seconds
    delivered_after_seconds: Seconds


class Intake(Section):
    """How an inquiry is taken in (readings 2 and 12), and the sizes beyond which parts are left out."""

    reception: Literal["provider", "stored"]
    unclear_kind: Kind
    unclear_language: Language
    after_close: Literal["new", "reopen"]
    area: Area
    max_mail_bytes: Positive
    max_mail_parts: Positive
    max_attachments: Positive
    max_web_form_bytes: Positive
    max_text_characters: Positive


class Registration(Section):
    """Where inquiries that colleagues register may have come in, and how many days back without a supervisor."""

    places: dict[Channel, Bilingual]
    days_back: Positive


class Mail(Section):
    """Limits against backscatter and loops."""

    acknowledgements_per_address_per_day: Positive
    messages_per_address_per_hour: Positive
