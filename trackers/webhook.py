"""Any tool that takes signed posts and sends them: a bridge of a few lines connects what has no adapter here.

We post `incident.opened`, `incident.cases` and `incident.closed`, and the answer to the first holds the tool's own id.
The same key comes with every try, so the tool must open one incident for it, however often it hears of it.
`docs/incidents.md` shows all three.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import SettingsConfigDict

from models.area_work import IncidentState
from models.errors import OperatorError, UnreadableMessage
from settings import Section
from trackers.http import Line
from trackers.port import Change, Draft, Ref, Tracker
from trackers.signing import HEADER, check, sign

VERSION = 1
SHORTEST_SECRET = 32
_LONGEST_ID, _LONGEST_URL = 200, 300


class WebhookSettings(Section):
    """Where the tool takes posts, and the secret that signs both ways."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_TRACKER_")

    url: str = ""
    """Where we post: an https address."""
    secret: SecretStr = SecretStr("")
    """32 random characters or more, the same at both ends."""

    @field_validator("url")
    @classmethod
    def _url_is_one(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must be set where the policy enables [tracker.webhook]: an https:// address")
        return value

    @field_validator("secret")
    @classmethod
    def _secret_is_strong(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        least = SHORTEST_SECRET if info.data.get("environment") == "production" else 1
        if len(value.get_secret_value()) < least:
            raise ValueError(f"must be {SHORTEST_SECRET} random characters or more: it is all that proves a post")
        return value


class Told(BaseModel):
    """What the tool posts: an incident of ours, by `key` or by the tool's own `incident`, stands like this since `at`.

    `id` names the event and is the same when it is posted again; `words` are the specialists' own.
    """

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_ID)]
    state: IncidentState
    at: AwareDatetime
    key: Annotated[str, StringConstraints(max_length=80)] = ""
    incident: Annotated[str, StringConstraints(max_length=_LONGEST_ID)] = ""
    words: str = ""


class Webhook(Tracker):
    """A tool behind signed posts. `clock` gives aware UTC."""

    name: ClassVar[str] = "webhook"

    def __init__(self, settings: WebhookSettings, clock: Callable[[], datetime]) -> None:
        self._url, self._secret = settings.url, settings.secret.get_secret_value().encode()
        self._clock, self._line = clock, Line("the tracker")

    def find(self, key: str) -> Ref | None:  # noqa: ARG002 - as the port has it
        """Nobody can be asked; posting it again under its key is safe."""
        return None

    def create(self, draft: Draft) -> Ref:
        """Post `incident.opened`."""
        about = {"reference": draft.reference, "title": draft.title, "area": draft.area}
        words = {"description": draft.description} if draft.description else {}
        answer = self._post("incident.opened", draft.key, {**about, **words})
        id_, url = answer.get("id"), answer.get("url", "")
        if not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_ID or not id_.isprintable():
            raise OperatorError('the tracker took the incident without saying its id; it must answer {"id": "..."}')
        shown = isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= _LONGEST_URL
        return Ref(id_, url if shown else "")

    def close(self, id_: str, key: str, state: IncidentState) -> None:
        """Post `incident.closed`."""
        self._post("incident.closed", key, {"incident": id_, "state": state.value})

    def count(self, id_: str, key: str, cases: int, now: datetime) -> None:
        """Post `incident.cases`; the same number may be news again, so its key names the time."""
        self._post("incident.cases", key, {"incident": id_, "cases": cases}, f"/{int(now.timestamp())}")

    def standing(self, id_: str, now: datetime) -> Change | None:  # noqa: ARG002 - as the port has it
        """Nobody can be asked."""
        return None

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check the signature and that it is fresh."""
        check(self._secret, headers.get(HEADER, ""), body, now)

    def parse(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Change, ...]:  # noqa: ARG002
        """Read one change."""
        try:
            told = Told.model_validate_json(body)
        except ValidationError as error:
            wrong = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]}))
            raise UnreadableMessage(f"the post is not a change of an incident: {wrong or 'no JSON object'}") from None
        return (
            Change(
                event=told.id, state=told.state, at=told.at, key=told.key, id=told.incident, words=told.words.strip()
            ),
        )

    def _post(self, event: str, key: str, about: Mapping[str, Any], once: str = "") -> dict[str, Any]:
        body = json.dumps({"event": event, "version": VERSION, "key": key, **about}, ensure_ascii=False).encode()
        headers = {
            "content-type": "application/json",
            "idempotency-key": f"{key}/{event}{once}",
            HEADER: sign(self._secret, body, self._clock()),
        }
        return self._line.write("POST", self._url, headers, body).object()
