"""What the inbox reads of a message that came in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from records.documents import AttachedFile
from records.remote_files import Remote


class Left(Protocol):
    """Something of a message that was not taken over."""

    @property
    def what(self) -> str: ...  # noqa: D102
    @property
    def why(self) -> str: ...  # noqa: D102


class Incoming(Protocol):
    """What is read here of `channels.message.InboundMessage`, which says what each field means."""

    # fmt: off
    @property
    def channel(self) -> str: ...  # noqa: D102
    @property
    def provider_id(self) -> str: ...  # noqa: D102
    @property
    def received_at(self) -> datetime: ...  # noqa: D102
    @property
    def sender(self) -> str: ...  # noqa: D102
    @property
    def sender_name(self) -> str: ...  # noqa: D102
    @property
    def sender_verified(self) -> bool: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def full_text(self) -> str: ...  # noqa: D102
    @property
    def html(self) -> str | None: ...  # noqa: D102
    @property
    def attachments(self) -> Sequence[AttachedFile]: ...  # noqa: D102
    @property
    def message_id(self) -> str: ...  # noqa: D102
    @property
    def in_reply_to(self) -> str: ...  # noqa: D102
    @property
    def references(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def disposition(self) -> str: ...  # noqa: D102
    @property
    def disposition_reason(self) -> str: ...  # noqa: D102
    @property
    def language(self) -> str | None: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def dropped(self) -> Sequence[Left]: ...  # noqa: D102
    @property
    def files(self) -> Sequence[Remote]: ...  # noqa: D102
    @property
    def album(self) -> str: ...  # noqa: D102
    @property
    def public_place(self) -> str: ...  # noqa: D102
    @property
    def unreadable(self) -> str: ...  # noqa: D102
    # fmt: on
