"""How a case looks in Temporal's own UI: search attributes, summary, current details, the name of its timer."""

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from temporalio.common import SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from models.case import Case
from models.ledger import Fact
from models.letters import Letter, LetterState
from models.obligations import Obligation
from models.search import (
    INQUIRY_AREA,
    INQUIRY_CHANNEL,
    INQUIRY_FLAGS,
    INQUIRY_KIND,
    INQUIRY_STATUS,
    NEXT_DUE_AT,
    NEXT_OBLIGATION,
    RESOLUTION_DUE_AT,
)

SUMMARY_BYTES = 200
LINES = 12
NOTHING = "nothing"
NAMED = ("kind", "key", "incident", "state", "command", "code", "area", "outcome", "result", "letter", "other", "why")
DATED = ("due", "until", "estimate", "date")
"""What of a fact's data says what it is about; none of it is personal."""


def static_summary(case: Case) -> str:
    """The line under which a case stands in lists: `RX-7KQ4-M2PD · complaint · email`."""
    return f"{case.reference} · {case.kind.value} · {case.channel}"


def search_attributes(case: Case) -> TypedSearchAttributes:
    """The case as visibility sees it; no personal data."""
    upcoming = next(iter(case.owed()), None)
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(INQUIRY_STATUS, case.status.value),
        SearchAttributePair(INQUIRY_KIND, case.kind.value),
        SearchAttributePair(INQUIRY_CHANNEL, case.channel),
        SearchAttributePair(INQUIRY_AREA, case.area),
        SearchAttributePair(NEXT_OBLIGATION, upcoming.kind.value if upcoming else NOTHING),
    ]
    if case.flags:
        pairs.append(SearchAttributePair(INQUIRY_FLAGS, [flag.value for flag in case.flags]))
    dates = {NEXT_DUE_AT: upcoming and upcoming.due, RESOLUTION_DUE_AT: case.resolution_due}
    pairs += [SearchAttributePair(key, at) for key, at in dates.items() if at]
    return TypedSearchAttributes(pairs)


def changes(now: TypedSearchAttributes, wanted: TypedSearchAttributes) -> list[SearchAttributeUpdate[Any]]:
    """What must be upserted to get from one set of attributes to the other."""
    new = {pair.key.name: pair for pair in wanted}
    old = {pair.key.name: pair for pair in now}
    updates = [
        pair.key.value_set(pair.value) for name, pair in new.items() if name not in old or old[name].value != pair.value
    ]
    gone = [pair.key.value_unset() for name, pair in old.items() if name not in new and name in OURS]
    return [*updates, *gone]


OURS = frozenset({INQUIRY_FLAGS.name, NEXT_DUE_AT.name, RESOLUTION_DUE_AT.name})
"""The attributes that may be absent."""


def timer_name(case: Case) -> str:
    """What the pending timer waits for: `final response · Wed 13 May 2026`."""
    alarm = case.next_alarm()
    if alarm is None:
        return ""
    for obligation in case.owed():
        if obligation.next_alarm() == alarm:
            what = obligation.kind.value if alarm > obligation.due else f"warning: {obligation.kind.value}"
            return f"{what} · {_day(case, obligation.due)}"[:SUMMARY_BYTES]
    for one in case.agenda:
        if one.next_alarm() == alarm:
            return f"{one.WHAT} · {_day(case, alarm)}"
    for referral in case.referrals:
        if referral.due and referral.next_alarm() == alarm:
            what = "answer" if alarm > referral.due else "reminder"
            return f"{what} of {referral.area} · {_day(case, referral.due)}"
    if case.window_ends == alarm:
        return f"appeal window · {_day(case, alarm)}"
    return f"a letter held back · {_day(case, alarm)}"


def current_details(case: Case, timeline: Sequence[Fact]) -> str:
    """The case file in Markdown: what it is, what is owed by when, what was sent, what is awaited."""
    head = [
        f"## {static_summary(case)}",
        f"**{case.status.value}**{''.join(f' · {flag.value}' for flag in case.flags)}",
        f"Received {_time(case, case.received_at)} · area {case.area} · owner {case.owner or 'none'}",
        _dates(case),
    ]
    parts = [
        "\n\n".join(line for line in head if line),
        "### Owed\n" + ("\n".join(_owed(case, o) for o in case.owed()) or "Nothing."),
        "### Waiting for\n" + _awaited(case),
        "### Letters\n" + ("\n".join(_letter(case, one) for one in case.letters[-LINES:]) or "None yet."),
        "### Lately\n" + "\n".join(_lately(case, fact) for fact in _told(timeline)[-LINES:]),
    ]
    return "\n\n".join(parts)


def _told(timeline: Sequence[Fact]) -> list[Fact]:
    """What happened, but for who may see the case: that stands in the records alone."""
    return [fact for fact in timeline if not fact.type.startswith("access.")]


def _dates(case: Case) -> str:
    told = case.told if case.told != case.resolution_due else None
    dates = {"Answer due **{}**": case.resolution_due, "told to the user: {}": told}
    lines = [words.format(_day(case, at)) for words, at in dates.items() if at]
    lines += [f"extended to {_day(case, e.until)}" for e in case.extensions if e.effective_at and not e.void_at]
    lines += [f"verified by {v.area}" for v in case.verified[-1:]]
    if case.escalated:
        lines.append(f"with {case.escalated.institution}, estimate {_day(case, case.escalated.estimate)}")
    return " · ".join(lines)


def _owed(case: Case, obligation: Obligation) -> str:
    late = " — **missed**" if obligation.missed_at else ""
    return f"- {obligation.kind.value} ({obligation.rule}) by **{_day(case, obligation.due)}**{late}"


def _awaited(case: Case) -> str:
    waits = []
    if case.undelivered:
        waits.append("an address that works")
    if any(one.state is LetterState.OWED and one.address for one in case.letters):
        waits.append("a channel to accept the next letter")
    if case.proposal:
        waits.append(f"a second pair of eyes on `{case.proposal.command}`")
    waits += [f"findings of {r.area}{_by(case, r.due)}" for r in case.referrals if r.open]
    waits += [f"incident {i.n} of {i.area}, {i.state.value.replace('_', ' ')}" for i in case.open_incidents]
    waits += [f"what the user was asked for, by {_day(case, one.by)}" for one in case.unheard]
    waits += [f"follow-up {one.n}, {_day(case, one.at)}" for one in case.noted]
    if case.escalated:
        waits.append(f"{case.escalated.institution}")
    if case.appeal:
        waits.append("the outcome of the review")
    if case.unread:
        waits.append(f"someone to read {case.unread} new message(s)")
    if case.status.value in {"received", "open"} and not waits:
        waits.append("an answer by an agent")
    if case.window_ends and not case.closed_at and not case.busy:
        waits.append(f"the end of the appeal window, {_day(case, case.window_ends)}")
    return "\n".join(f"- {one}" for one in waits) or "Nothing."


def _by(case: Case, due: datetime | None) -> str:
    return f" by {_day(case, due)}" if due else ""


def _lately(case: Case, fact: Fact) -> str:
    """What happened, to what, by when: `- Mon 02 Feb 2026 10:30 obligation owed: final response, Mon 16 Mar 2026`."""
    names = [str(fact.data[name]) for name in NAMED if fact.data.get(name)]
    dates = [_day(case, datetime.fromisoformat(fact.data[name])) for name in DATED if fact.data.get(name)]
    about = ", ".join(part.removeprefix(f"{case.reference}/") for part in (*names, *dates))
    what = fact.type.replace(".", " ").replace("-", " ")
    rule = f" ({fact.rule})" if fact.rule else ""
    return f"- {_time(case, fact.at)} {what}{f': {about}' if about else ''}{rule}"


def _letter(case: Case, letter: Letter) -> str:
    if letter.bounced_at:
        state = f"bounced {_time(case, letter.bounced_at)}"
    elif letter.delivered_at:
        state = f"delivered {_time(case, letter.delivered_at)}"
    elif letter.accepted_at:
        state = f"accepted {_time(case, letter.accepted_at)}"
    else:
        state = letter.state.value if letter.address else "owed, no address works"
    again = " · possible duplicate" if letter.duplicate else ""
    return f"- {letter.kind.value}: {state}{again}"


def _day(case: Case, at: datetime) -> str:
    return f"{case.calendar.local_date(at):%a %d %b %Y}"


def _time(case: Case, at: datetime) -> str:
    offset = case.calendar.utc_offset(at)
    return f"{at.astimezone(timezone(offset)):%a %d %b %Y %H:%M}"
