"""What lies with the operator: keys, policy, letters, calendar, channels, the folder for documents."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from activities.letters.memos import Memos
from activities.letters.rendering import Letters
from activities.letters.survey import waiting
from channels.registry import load_channels
from models.policy import Policy
from settings import Settings
from starter.admin.oidc_settings import oidc_settings
from starter.checkup.finding import Finding
from tracing import recorder_wanted
from trackers.registry import load_trackers

GIGABYTE = 1 << 30
LEAST_FREE = GIGABYTE
"""Bytes that must be free for documents: some thousand messages with attachments."""


def keys(settings: Settings) -> Iterator[Finding]:
    """The ring that seals what Temporal stores."""
    ring = settings.key_ring()
    development = settings.environment == "production" and any(name.startswith("dev-") for name in ring.ids)
    mend = "put another in front with `plazo ring rotate`; the development key stays to decode"
    yield Finding("keys", f"{len(ring.ids)} in the ring, {ring.first} seals", mend if development else "")


def letters(settings: Settings) -> Iterator[Finding]:
    """The operator's letters and memos: that they can be written, and which wait for compliance."""
    production = settings.environment == "production"
    Letters.load(settings.policy, approved=production)
    Memos.load(settings.policy, approved=production)
    lines = waiting(settings.policy)
    named = ", ".join(line.source.template for line in lines)
    seen = f"not approved as they stand: {named}" if lines else "all can be written, and all are approved"
    mend = "`plazo letters diff`, then `plazo letters approve`; until then the texts approved before are used"
    yield Finding("letters", seen, mend if lines and production else "")


def calendar(policy: Policy, now: datetime) -> Iterator[Finding]:
    """The closed days must be known to the end of next year, and as far ahead as a case looks."""
    known = policy.whole_calendar()
    today = known.local_date(now)
    wanted = max(date(today.year + 1, 12, 31), known.days_after(today, policy.calendar_settings.horizon_days))
    mend = f"run `plazo calendar seed --from {known.first.year} --to {wanted.year}` and restart"
    yield Finding("calendar", f"known to {known.last}, wanted to {wanted}", mend if known.last < wanted else "")


def channels(settings: Settings, policy: Policy, now: datetime) -> Iterator[Finding]:
    """The secrets of every channel, tracker and sign-in that is switched on."""
    built = load_channels(policy, settings, lambda: now)
    for channel in built.values():
        channel.close()
    load_trackers(policy, settings, lambda: now)
    oidc_settings(settings)
    yield Finding("channels", f"{', '.join(built) or 'none'}: their settings are complete")


def traces() -> Iterator[Finding]:
    """What the environment of OpenTelemetry asks for."""
    yield Finding("traces", "sent" if recorder_wanted() else "none are wanted")


def documents(settings: Settings) -> Iterator[Finding]:
    """The folder that attachments are written to."""
    folder = settings.documents
    nearest = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(nearest).free
    mend = f"free some, or point PLAZO_DOCUMENTS at a larger disk; {LEAST_FREE // GIGABYTE} GB are wanted"
    yield Finding("disk", f"{free // GIGABYTE} GB free for documents", mend if free < LEAST_FREE else "")
    fine = _can_be_written(nearest)
    said = "can be written" if fine else "cannot be written"
    yield Finding("documents", f"{folder}: {said}", "" if fine else f"give uid {os.getuid()} the right to write there")


def _can_be_written(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
