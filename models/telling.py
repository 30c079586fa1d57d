"""What becomes of an alert: held until it may be told, told, told to the next where nobody could be reached, or void.

Nothing here owes a user anything, and no letter waits for it.
"""

from datetime import datetime

from models.alerting import alert_key, holds, telling_time, tried
from models.alerts import Alert, AlertKind, Heard, Summons
from models.case import Case
from models.letters import LetterState
from models.urgency import raise_again


def settle_alerts(case: Case, now: datetime) -> None:
    """Bring the alerts up to `now` (aware UTC): void those without reason, release those whose time has come.

    Doing it twice changes nothing more.
    """
    raise_again(case, now)
    for alert in case.alerts:
        if alert.state is not LetterState.OWED:
            continue
        if not holds(case, alert):
            _put(case, alert, state=LetterState.VOID)
        elif not alert.ready:
            at = alert.not_before or _when(case, alert, now)
            _put(case, alert, not_before=at, ready=at <= now)


def ready_alerts(case: Case) -> list[Alert]:
    """Return the alerts that may leave now."""
    return [one for one in case.alerts if one.state is LetterState.OWED and one.ready]


def summons(case: Case, alert: Alert) -> Summons:
    """Return what must be known to choose whom to tell."""
    return Summons(reference=case.reference, alert=alert, owner=case.owner, tried=tried(case, alert.about))


def heard(case: Case, answer: Heard, now: datetime) -> None:
    """A colleague was told; where the mailbox is dead the next one is asked, where nobody is left the case says so."""
    alert = _find(case, answer.key)
    if alert is None or alert.state is not LetterState.OWED:
        return
    if not answer.to:
        _put(case, alert, state=LetterState.VOID, passed=answer.passed)
        if not tried(case, alert.about):
            case.record(now, "alert.nobody", key=alert.key, kind=alert.kind.value, passed=list(answer.passed))
        return
    state = LetterState.ACCEPTED if answer.reached else LetterState.FAILED
    _put(case, alert, state=state, to=answer.to, passed=answer.passed)
    what = "alert.sent" if answer.reached else "alert.failed"
    case.record(answer.at, what, key=alert.key, kind=alert.kind.value, to=answer.to, passed=list(answer.passed) or None)
    if not answer.reached:
        _ask_next(case, alert, now)


def is_alert(case: Case, key: str) -> bool:
    """Say whether a key is that of an alert, not of a letter."""
    return _find(case, key) is not None


def alert_bounced(case: Case, key: str, now: datetime) -> None:
    """An alert came back: the next colleague is asked."""
    alert = _find(case, key)
    if alert is not None and alert.state is LetterState.ACCEPTED:
        alert = _put(case, alert, state=LetterState.FAILED)
        case.record(now, "alert.failed", key=key, kind=alert.kind.value, to=alert.to)
        _ask_next(case, alert, now)


def _ask_next(case: Case, alert: Alert, now: datetime) -> None:
    again = {"state": LetterState.OWED, "to": "", "passed": (), "created_at": now, "not_before": None, "ready": False}
    case.alerts = [*case.alerts, alert.model_copy(update={"key": alert_key(case, alert.kind), **again})]


def _when(case: Case, alert: Alert, now: datetime) -> datetime:
    """What is urgent is told at any hour."""
    return now if alert.kind is AlertKind.URGENT else telling_time(case, now, alert.due)


def _find(case: Case, key: str) -> Alert | None:
    return next((one for one in case.alerts if one.key == key), None)


def _put(case: Case, alert: Alert, **changes: object) -> Alert:
    changed = alert.model_copy(update=changes)
    case.alerts = [changed if one.key == alert.key else one for one in case.alerts]
    return changed
