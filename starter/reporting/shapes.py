"""The shapes of a report: counts, codes and versions, and nothing about a person."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a report, as it was counted."""

    model_config = ConfigDict(frozen=True)


class Tally(Part):
    """What became of promises. `missed` is `late` + `unmet` + `lapsed`; `percent` is kept of kept and missed."""

    due: int
    kept: int
    missed: int
    late: int
    unmet: int
    lapsed: int
    moved: int
    released: int
    exhausted: int
    running: int
    percent: float | None


class Group(Part):
    """Promises of one group: a month, a channel, an area, or a kind of inquiry."""

    name: str
    tally: Tally


class Promise(Part):
    """One kind of promise: all, by `month`, `channel`, `area` and `inquiry`, and why those missed were missed."""

    kind: str
    rule: str
    tally: Tally
    groups: dict[str, tuple[Group, ...]]
    reasons: dict[str, int]


class Spread(Part):
    """Business days: how many were measured, and the days that 50, 90, 99 and 100 percent of them did not exceed."""

    count: int
    p50: int | None
    p90: int | None
    p99: int | None
    most: int | None


class Caused(Part):
    """Final answers under one cause: `founded` in whole or in part, `percent` of them among founded and unfounded.

    `neither` are inadmissible, or answer a question. `days` are the business days that the answers took.
    """

    cause: str
    answers: int
    founded: int
    unfounded: int
    neither: int
    percent: float | None
    days: Spread


class Remedied(Part):
    """Remedies of one kind that were done, by the cause of the inquiry's answer. `amount` is a decimal in `currency`.

    Both are empty where the remedy is no money.
    """

    cause: str
    kind: str
    currency: str
    count: int
    amount: str


class Criterion(Part):
    """Answers of one month and area judged by one criterion of the quality review; `good` of them met it."""

    month: str
    area: str
    criterion: str
    judged: int
    good: int
    percent: float


class Backlog(Part):
    """Inquiries that wait for their final answer at the end of the period, and how they came and went."""

    before: int
    received: int
    reopened: int
    answered: int
    withdrawn: int
    merged: int
    exhausted: int
    other: int
    after: int
    overdue: int
    groups: dict[str, dict[str, int]]
    ages: dict[str, int]


class Extended(Part):
    """Extensions (M3.5). Those in effect are for complexity alone, or beside an institution; `days` are how long."""

    announced: int
    effective: int
    for_complexity: int
    with_institution: int
    void: int
    told_late: int
    days: Spread
    total_days: int


class Escalated(Part):
    """External institutions (M3.6); `days` are how long those took that ended."""

    begun: int
    estimates_moved: int
    open: int
    days: Spread
    institutions: dict[str, int]
    unnamed: int


class Reviewed(Part):
    """Reviews (M3.10)."""

    noted: dict[str, int]
    decided: dict[str, int]
    open: int


class Lettered(Part):
    """Letters of one channel."""

    channel: str
    accepted: int
    delivered: int
    returned: int
    refused: int


class Moved(Part):
    """Changes of channel (M4.2): all, those a person decided by the new channel, those after a channel failed."""

    all: int
    decided: dict[str, int]
    after_failure: int


class Grounds(Part):
    """What the figures rest on, so that they can be checked."""

    policies: dict[str, int]
    calendars: dict[str, int]
    inquiries: int
    events: int
    fingerprint: str


class Report(Part):
    """The figures of a period. Days are local ones of `zone`, `made_at` is UTC; `complete` once the period is over.

    `notes` says of each table what it counts: obligations by the end of their term, the rest by when it happened.
    """

    period: str
    first: date
    last: date
    zone: str
    made_at: datetime
    complete: bool
    operator: str
    policy: str
    manual: dict[str, str]
    promises: tuple[Promise, ...]
    acknowledged: Spread
    answered: Spread
    answers: dict[str, int]
    causes: tuple[Caused, ...]
    remedies: tuple[Remedied, ...]
    quality: tuple[Criterion, ...]
    backlog: Backlog
    extensions: Extended
    escalations: Escalated
    reviews: Reviewed
    letters: tuple[Lettered, ...]
    channels: Moved
    grounds: Grounds
    notes: dict[str, str]
