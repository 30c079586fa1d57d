"""The same round trips by the other ways there are: the operator's own mail server, and Telegram's webhook."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.channels.email.servers import PASSWORD, USER, Dovecot, Sink, needs_dovecot, open_dovecot, open_sink
from tests.databases import Template
from tests.faults.town import Town, town
from tests.trials.agent import Agent
from tests.trials.people import MailboxUser, TelegramUser
from tests.trials.trip import round_trip

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_dovecot]

both = pytest.mark.parametrize("language", ["es", "en"])


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with open_dovecot() as opened:
        yield opened


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with open_sink() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(
    tmp_path_factory: pytest.TempPathFactory, blank_records: Template, server: Dovecot, sink: Sink
) -> AsyncIterator[Town]:
    """A town whose mail lies on a server of its own, and which Telegram calls."""
    variables = {
        "PLAZO_EMAIL_INCOMING": "imap",
        "PLAZO_EMAIL_IMAP_HOST": "127.0.0.1",
        "PLAZO_EMAIL_IMAP_PORT": str(server.port),
        "PLAZO_EMAIL_IMAP_TLS": "none",
        "PLAZO_EMAIL_IMAP_USER": USER,
        "PLAZO_EMAIL_IMAP_PASSWORD": PASSWORD,
        "PLAZO_EMAIL_OUTGOING": "smtp",
        "PLAZO_EMAIL_SMTP_HOST": "127.0.0.1",
        "PLAZO_EMAIL_SMTP_PORT": str(sink.port),
        "PLAZO_EMAIL_SMTP_TLS": "none",
        "PLAZO_EMAIL_TRUSTED_SERVERS": "mx.example.org",
        "PLAZO_TELEGRAM_SECRET": "a-secret-of-thirty-two-characters-or-more",
    }
    records_url, _ = blank_records.apart(tmp_path_factory.mktemp("records"))
    async with town(tmp_path_factory.mktemp("town"), records_url, variables, gather=1) as made:
        code, printed = await made.plazo("telegram-webhook", "--set", made.settings.web_url)
        assert code == 0, printed
        yield made


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.1")
@pytest.mark.rule("M5.5")
@both
async def test_who_writes_to_the_operators_own_server_is_answered_from_it(
    there: Town, server: Dovecot, sink: Sink, language: str
) -> None:
    await round_trip(MailboxUser(there, language, server, sink), Agent(there), known=True)


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.1")
@pytest.mark.rule("M5.5")
@both
async def test_who_writes_on_telegram_is_answered_where_telegram_calls(there: Town, language: str) -> None:
    await round_trip(TelegramUser(there, language), Agent(there))
