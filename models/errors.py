"""Every error of the project, in one tree.

PlazoError
├── SettingsError             the environment does not add up; says which setting and how to mend it
├── PolicyError               a policy, calendar or letter file does not load; names file, key and line
├── CalendarError             a date lies outside what a calendar snapshot knows
├── Refused                   a case refuses a command; nothing changed
│   ├── Malformed             the command itself cannot be read
│   └── Stale                 the command was decided on an older version of the case
├── LedgerError               the chain of events is broken or would be
├── RecordsUnavailable        the records database does not answer; ask again later
├── EngineUnavailable         Temporal does not answer; ask again later
├── UnknownInquiry            no case bears that reference
├── VerificationError         what came in from outside is not signed as it should be; no effect
├── UnreadableMessage         what came in from outside cannot be parsed at all
└── ChannelError              a letter did not leave
    ├── RecipientError        this address will never take it: another address, M4.2
    ├── OperatorError         our own account or template is at fault: retry slowly, alarm, never switch channel
    ├── TransientError        surely not accepted; try again
    └── UnknownOutcome        perhaps accepted; wait for the provider's event before trying again
"""

from typing import NamedTuple


class PlazoError(Exception):
    """The root: everything the project raises on purpose descends from it."""


class SettingsError(PlazoError):
    """The environment does not add up. The text names the setting and how to mend it."""


class PolicyError(PlazoError):
    """A file of the policy does not load.

    The text reads `file:line: key: what is wrong; how to mend it`.
    """

    def __init__(self, file: str, problem: str, *, key: str = "", line: int = 0) -> None:
        """Say where (`file`, 1-based `line`, dotted `key`) and what; line 0 means the whole file."""
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {key}: {problem}" if key else f"{place}: {problem}")
        self.file, self.problem, self.key, self.line = file, problem, key, line


class CalendarError(PlazoError):
    """A date lies outside what the calendar snapshot knows, so nothing can be said of it."""


class Missing(NamedTuple):
    """One thing that a command lacks: which field, what is wanted there, and the manual's rule, or empty."""

    field: str
    detail: str
    rule: str = ""


class Refused(PlazoError):
    """A case refuses a command; nothing changed.

    `code` is a stable name such as `extension.not-a-complaint`; `detail` says what is wrong and what would be accepted;
    `field` names the offending field of the command, or is empty; `rule` the manual's rule, or is empty; `missing`
    everything that is wanted, where it is more than the one field.
    """

    def __init__(
        self, code: str, detail: str, *, field: str = "", rule: str = "", missing: tuple[Missing, ...] = ()
    ) -> None:
        """Keep the parts: callers turn them into a problem document or a line of the timeline."""
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.field, self.rule, self.missing = code, detail, field, rule, missing


class Malformed(Refused):
    """The command cannot be read: unknown name, wrong type, missing or absurd value."""


class Stale(Refused):
    """The caller decided on an older version of the case; read it again and decide anew."""


class LedgerError(PlazoError):
    """The chain of events is broken, or an append would break it."""


class RecordsUnavailable(PlazoError):
    """The records database does not answer; nothing was stored, ask again later."""


class EngineUnavailable(PlazoError):
    """Temporal does not answer; what was stored waits, ask again later."""


class UnknownInquiry(PlazoError):
    """No case bears that reference."""


class VerificationError(PlazoError):
    """What came in is not signed, not fresh or not ours. It has no effect."""


class UnreadableMessage(PlazoError):
    """What came in cannot be parsed at all; the raw bytes are kept."""


class ChannelError(PlazoError):
    """A letter did not leave.

    `detail` is the provider's answer without personal data; `retry_after` in seconds where the provider named one.
    """

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        """Keep the provider's words and its wish for the next try."""
        super().__init__(detail)
        self.detail, self.retry_after = detail, retry_after


class RecipientError(ChannelError):
    """This address will never take the letter: another address is needed (M4.2)."""


class OperatorError(ChannelError):
    """Our own account, key or template is at fault: retry slowly, raise an alarm, never switch the channel."""


class TransientError(ChannelError):
    """The provider surely did not accept the letter; try again."""


class UnknownOutcome(ChannelError):
    """The provider may have accepted the letter; wait for its event before trying again."""
