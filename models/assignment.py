"""Assignment: which area a new inquiry leads to, and who in it becomes its owner (M3.3, M5.4).

The rules are policy data with a version, tried in order; what they find says which rule led there and who was passed
over, for what reason. Within an area the trained person who is there with the least open work gets it. Where there is
none it goes to the area's representative, then to the deputy, then to the supervisors whom the policy names: an
inquiry is never without an owner. All of it is pure: who is there, and how much they have, is handed in.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Annotated, Literal, NamedTuple

from pydantic import StringConstraints

from models.commands import READS_ONLY
from models.episodes import Assigned, PassedOver
from models.errors import Refused
from models.inquiry import ActorId, Area, Channel, Kind, Language, Role
from models.policy_file import Section, Text

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
OWNING = frozenset({Role.AGENT, Role.REPRESENTATIVE})
"""Who gets inquiries in the ordinary way; supervisors only when nobody else is there."""

WORD = re.compile(r"[^\W_]+")
MOST_TOLD = 100
"""As many of those passed over as one event names."""


class Rule(Section):
    """Leads an inquiry to an area where all of its conditions hold; a condition that is left out always does.

    `words` are looked for in the subject, or in the first words where a channel has no subject, whole, without regard
    to case and accents; one of them is enough.
    """

    name: Code
    area: Area
    kinds: tuple[Kind, ...] = ()
    channels: tuple[Channel, ...] = ()
    languages: tuple[Language, ...] = ()
    words: tuple[Text, ...] = ()


class Assignment(Section):
    """`[assignment]`: the rules, in order, and how shifts and claims count.

    `shifts`: with "prefer" somebody off shift gets an inquiry when nobody is on shift, with "require" the
    representative does. `claim`: "unattended" lets an agent take a case only while its owner is not there.
    """

    version: Text
    shifts: Literal["prefer", "require"]
    claim: Literal["unattended", "always"]
    rules: tuple[Rule, ...] = ()


class Matter(NamedTuple):
    """What of an inquiry the rules look at; `subject` is personal data and goes no further."""

    kind: Kind
    channel: Channel
    language: Language
    subject: str


class Member(NamedTuple):
    """Somebody of the staff as seen from one area at one moment.

    `in_area`: they work for it. `trained`: the languages they may answer its matters in today. `load`: how many of
    their inquiries owe something.
    """

    id: ActorId
    role: Role
    in_area: bool = True
    trained: frozenset[Language] = frozenset()
    left: bool = False
    absent: bool = False
    on_shift: bool = False
    load: int = 0

    @property
    def there(self) -> bool:
        """Whether they answer today."""
        return not (self.left or self.absent)

    def speaks(self, language: Language) -> bool:
        """Whether they are trained for a language; an uncertain one wants both (reading 12)."""
        return ({Language.ES, Language.EN} if language is Language.BOTH else {language}) <= self.trained


class Call(NamedTuple):
    """Whom an inquiry looks for: somebody of `area` for `language`; `standins` are tried in order when there is none.

    Each of `standins` has the name of its step: "representative", "deputy", "supervisor".
    """

    area: Area
    language: Language
    rule: str
    version: str
    standins: tuple[tuple[str, ActorId], ...]
    shifts: Literal["prefer", "require"] = "prefer"


def leads(assignment: Assignment, matter: Matter, otherwise: Area) -> tuple[str, Area]:
    """Name the first rule that fits and its area; "intake" and the area that attends first where none does."""
    for rule in assignment.rules:
        if _fits(rule, matter):
            return rule.name, rule.area
    return "intake", otherwise


def _fits(rule: Rule, matter: Matter) -> bool:
    named: tuple[tuple[Collection[str], str], ...] = (
        (rule.kinds, matter.kind),
        (rule.channels, matter.channel),
        (rule.languages, matter.language),
    )
    if any(wanted and value not in wanted for wanted, value in named):
        return False
    said = _plain(matter.subject)
    return not rule.words or any(_plain(word) in said for word in rule.words)


def _plain(text: str) -> str:
    """The words of a text between blanks, without case, accents and punctuation, so that whole words are found."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    words = " ".join(WORD.findall(bare))
    return f" {words} "


def choose(call: Call, crew: Iterable[Member]) -> Assigned:
    """Find the owner: always somebody. Ties of load go by id."""
    known = {member.id: member for member in crew}
    substitutes = {staff for _, staff in call.standins}
    team = [m for m in known.values() if m.in_area and m.role in OWNING and m.id not in substitutes]
    owner, passed = _of_team(call, sorted(team, key=lambda m: m.id))
    step = "area"
    if owner is None:
        step, owner, in_turn = _stand_in(call, known)
        passed += in_turn
    return Assigned(
        owner=owner, area=call.area, rule=call.rule, version=call.version, step=step, passed_over=passed[:MOST_TOLD]
    )


def _of_team(call: Call, team: list[Member]) -> tuple[ActorId | None, tuple[PassedOver, ...]]:
    passed: list[PassedOver] = []
    fit: list[Member] = []
    for member in team:
        why = _obstacle(member, call.language)
        if why:
            passed.append(PassedOver(staff=member.id, why=why))
        else:
            fit.append(member)
    working = [member for member in fit if member.on_shift]
    if working or call.shifts == "require":
        passed += [PassedOver(staff=m.id, why="off-shift") for m in fit if not m.on_shift]
        fit = working
    best = min(fit, key=lambda m: (m.load, m.id), default=None)
    if best is None:
        return None, tuple(passed)
    passed += [
        PassedOver(staff=m.id, why="busier" if m.load > best.load else "same-load") for m in fit if m.id != best.id
    ]
    return best.id, tuple(passed)


def _stand_in(call: Call, known: dict[ActorId, Member]) -> tuple[str, ActorId, tuple[PassedOver, ...]]:
    passed: list[PassedOver] = []
    for step, staff in call.standins:
        member = known.get(staff)
        # A supervisor takes it to give it on, so what they are trained for does not count.
        why = "unknown" if member is None else _obstacle(member, call.language, trained=step != "supervisor")
        if not why:
            return step, staff, tuple(passed)
        passed.append(PassedOver(staff=staff, why=why))
    last = next(staff for step, staff in call.standins if step == "supervisor")
    return "nobody-there", last, tuple(passed)


def _obstacle(member: Member, language: Language, *, trained: bool = True) -> str:
    if member.left:
        return "left"
    if member.absent:
        return "absent"
    return "untrained" if trained and not member.speaks(language) else ""


def may_own(member: Member | None, language: Language) -> Member:
    """Return somebody whom a case may be given to by name. Raises Refused: nobody untrained is assigned (M3.3)."""
    if member is None:
        raise Refused("assign.unknown-person", "nobody of the staff has that id", field="owner", rule="M3.3")
    if member.role in READS_ONLY:
        raise Refused("assign.reads-only", "their role decides nothing; name somebody who answers", field="owner")
    if member.left:
        raise Refused("assign.left", "they have left; name somebody who is there", field="owner", rule="M3.3")
    if member.absent:
        raise Refused("assign.absent", "they are absent today; name somebody who is there", field="owner", rule="M3.3")
    if not member.speaks(language):
        raise Refused(
            "assign.untrained", "they are not trained for this area and language today", field="owner", rule="M3.3"
        )
    return member


def may_claim(assignment: Assignment, claimant: Member | None, owner: Member | None, language: Language) -> None:
    """Say whether somebody may take a case themselves. Raises Refused."""
    member = may_own(claimant, language)
    if not member.in_area:
        raise Refused("claim.other-area", "it belongs to an area that is not yours", rule="M5.4")
    if assignment.claim == "unattended" and owner is not None and owner.there and owner.id != member.id:
        raise Refused("claim.attended", "its owner is there; ask a supervisor to assign it", rule="M3.3")


def may_approve(approver: Member | None, language: Language) -> None:
    """Say whether somebody may approve what is proposed in a case, as seen from its area. Raises Refused (M5.3)."""
    if approver is None:
        raise not_of_the_staff()
    if not approver.speaks(language):
        raise Refused(
            "approval.untrained",
            "you are not trained for this area and language today; another approves it",
            rule="M5.3",
        )


def not_of_the_staff() -> Refused:
    """What is raised for whoever decides and is nobody whom the records know."""
    return Refused(
        "actor.not-staff",
        "only the staff decide: have a supervisor add you (`plazo staff add`), or your sign-in (`plazo staff sign-in`)",
        rule="M5.3",
    )
