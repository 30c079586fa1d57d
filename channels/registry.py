"""Which channels there are: those that the policy switches on and that carry letters of their own."""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec

from channels.port import Adapter, Limits, Surroundings, Transcript
from models.errors import SettingsError
from models.inquiry import Channel
from models.policy import Policy
from settings import Settings

Adapters = Mapping[Channel, Adapter]


def load_channels(
    policy: Policy, settings: Settings, clock: Callable[[], datetime], transcript: Transcript | None = None
) -> Adapters:
    """Build every enabled channel that answers for itself, in the policy's order.

    Raises one SettingsError that names all that is missing, for all channels.
    """
    wanted = policy.intake
    limits = Limits(wanted.max_mail_bytes, wanted.max_mail_parts, wanted.max_text_characters, wanted.max_attachments)
    built: dict[Channel, Adapter] = {}
    wrong: list[str] = []
    for name, channel in policy.channels.named.items():
        if not channel.enabled or channel.answered_by != name:
            continue
        if find_spec(f"channels.{name}") is None:
            wrong.append(f"channels.{name}: no such channel is built in; write channels/{name}/ or disable it")
            continue
        surroundings = Surroundings(channel.address, policy.operator.name, limits, clock, settings, transcript)
        try:
            built[name] = import_module(f"channels.{name}.adapter").build(surroundings)
        except SettingsError as error:
            wrong.append(str(error))
    if wrong:
        raise SettingsError("\n".join(wrong))
    return built
