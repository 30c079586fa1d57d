import pytest
from pydantic import SecretStr

from channels.port import Post
from channels.telegram.adapter import UPDATES, Telegram
from channels.telegram.verify import HEADER
from models.errors import VerificationError
from tests.channels.telegram.town import NOW, SECRET, adapter


@pytest.fixture(scope="module")
def deaf() -> Telegram:
    return adapter("http://127.0.0.1:9")


def test_the_secret_opens_the_door(deaf: Telegram) -> None:
    deaf.knock(UPDATES, {HEADER: SECRET})
    deaf.verify(Post(UPDATES, {HEADER: SECRET}, b"{}"), NOW)


@pytest.mark.rule("M2.1")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ""},
        {HEADER: SECRET[:-1]},
        {HEADER: SECRET + "s"},
        {HEADER: SECRET.upper()},
        {HEADER: "ñ\udcff\x00"},
        {HEADER: "s" * 10_000_000},
        {"authorization": f"Bearer {SECRET}"},
        {"secret_token": SECRET},
    ],
)
def test_nothing_else_does(deaf: Telegram, headers: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as knocked:
        deaf.knock(UPDATES, headers)
    with pytest.raises(VerificationError) as posted:
        deaf.verify(Post(UPDATES, headers, b"{}"), NOW)
    assert SECRET not in f"{knocked.value}{posted.value}"


def test_without_a_secret_nobody_is_believed() -> None:
    with pytest.raises(VerificationError, match="PLAZO_TELEGRAM_SECRET"):
        adapter("http://127.0.0.1:9", secret=SecretStr("")).knock(UPDATES, {HEADER: ""})
