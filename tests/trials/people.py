"""People who go through a whole round trip: they write, read, answer, and show who they are."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import count

import httpx2
from playwright.async_api import Page, expect

from starter.chat.page_words import WORDS as PAGE
from tests.channels.email.servers import Dovecot, Sink
from tests.faults.town import Town
from tests.faults.voices import Filler, Heard, Poster, Telegrammer, Voice, Writer

NUMBERS = count(10_000)
REFERENCE = re.compile(r"RX-[0-9A-Z]{4}-[0-9A-Z]{4}")


class Person(Voice):
    """Somebody with all that a channel allows; `language` is that of their telephone or browser."""

    threads = False
    """Whether a letter bears what it answers."""

    def __init__(self, town: Town, language: str = "es") -> None:
        super().__init__(town, next(NUMBERS))
        self.language, self.said = language, count()

    async def write(self, text: str) -> None:
        """Write to us."""
        (await self.say(next(self.said), text)).raise_for_status()

    async def answer(self, letter: Heard, text: str) -> None:
        """Answer a letter of ours; where the channel knows no answers, go on writing."""
        await self.write(text)

    async def show(self, code: str, link: str) -> None:
        """Show the one-time code that they got elsewhere: write it, and nothing else."""
        await self.write(code)

    async def latest(self) -> str:
        """What the answer to their last message bears, where letters are threaded."""
        return ""


class MailUser(Person, Writer):
    """By e-mail."""

    threads = True
    _latest = ""

    async def deliver(self, mail: EmailMessage) -> httpx2.Response:
        """Send a mail."""
        self._latest = mail["Message-ID"]
        return await super().deliver(mail)

    async def answer(self, letter: Heard, text: str) -> None:
        """Answer as a mail program does: to the letter's Reply-To, threaded to it."""
        mail = self.mail(next(self.said), text)
        del mail["In-Reply-To"], mail["References"], mail["To"]
        mail["In-Reply-To"], mail["References"], mail["To"] = letter.id, letter.id, letter.back
        (await self.deliver(mail)).raise_for_status()

    async def latest(self) -> str:
        """Their last mail's Message-ID."""
        return self._latest


class MailboxUser(MailUser):
    """By e-mail to an operator who keeps a mail server: it lies in a folder there, and letters leave by SMTP."""

    def __init__(self, town: Town, language: str, server: Dovecot, sink: Sink) -> None:
        super().__init__(town, language)
        self._server, self._sink = server, sink

    async def deliver(self, mail: EmailMessage) -> httpx2.Response:
        """Have the operator's server put a mail into the folder, with what it found out of its sender."""
        self._latest = mail["Message-ID"]
        mail["Delivered-To"] = mail["To"]
        mail["Authentication-Results"] = f"mx.example.org; spf=pass smtp.mailfrom={self.address}"
        self._server.deliver(mail.as_bytes())
        return httpx2.Response(200, request=httpx2.Request("POST", "imap://help@example.org"))

    async def letters(self) -> list[Heard]:
        """What the operator's server was given for them."""
        contents = [one.content for one in self._sink.taken if self.address in one.rcpt_tos]
        mails = [message_from_bytes(one, policy=default) for one in contents if isinstance(one, bytes)]
        return [
            Heard(body.get_content(), mail["In-Reply-To"] or "", mail["Message-ID"], mail["Reply-To"])
            for mail in mails
            if (body := mail.get_body(("plain",))) is not None
        ]


class FormUser(Person, Filler):
    """By the form on the web."""

    async def answer(self, letter: Heard, text: str) -> None:
        """Write a mail that names the reference."""
        found = REFERENCE.search(letter.text)
        assert found
        self.reference = found[0]
        await self.write(text)


class TelegramUser(Person, Telegrammer):
    """By Telegram."""

    threads = True
    code = ""

    async def answer(self, letter: Heard, text: str) -> None:
        """Write as a reply to the bot's message."""
        body = {"text": text, "reply_to": int(letter.id)}
        (await self.do(f"/people/{self.address}/messages", body)).raise_for_status()

    async def show(self, code: str, link: str) -> None:
        """Open the deep link, and then write the code: a pressed link alone moves nobody's inquiries."""
        assert link.endswith(f"?start={code}")
        await self.write(f"/start {code}")
        await self.write(code)
        self.code = code

    async def letters(self) -> list[Heard]:
        """What the bot wrote that is a letter: a courtesy about a code names no inquiry."""
        return [one for one in await super().letters() if REFERENCE.search(one.text)]

    async def latest(self) -> str:
        """The number of their last message in the chat that is neither a command nor a code."""
        own = [one for one in await self.chat() if not one["from"]["is_bot"] and not one.get("entities")]
        return str([one for one in own if one.get("text") != self.code][-1]["message_id"])


class XUser(Person, Poster):
    """By direct message on X."""


class PageVisitor(Person):
    """By the chat, in a real browser."""

    channel = "chat"

    def __init__(self, town: Town, language: str, page: Page) -> None:
        super().__init__(town, language)
        self._page, self._words = page, PAGE[language]

    async def arrive(self) -> httpx2.Response:
        """Open the page."""
        await self._page.goto(f"{self.town.settings.web_url}/chat?lang={self.language}")
        return httpx2.Response(200)

    async def say(self, k: int, text: str) -> httpx2.Response:
        """Write into the field and press the button, until it is stored."""
        await self._page.get_by_label(self._words["message"]).fill(text)
        await self._page.get_by_role("button", name=self._words["send"]).click()
        await expect(self._page.locator("#log li.yours")).to_have_count(k + 1)
        await expect(self._page.locator("#log li .status")).to_have_count(0)
        return httpx2.Response(202, request=httpx2.Request("POST", self._page.url))

    async def leave_address(self, email: str) -> None:
        """Leave an e-mail address in the page."""
        await self._page.get_by_label(self._words["email"]).fill(email)
        await self._page.get_by_role("button", name=self._words["keep"]).click()
        await expect(self._page.locator("#email-state")).to_have_text(self._words["kept"])

    async def letters(self) -> list[Heard]:
        """What stands of us on the page."""
        return [Heard(one) for one in await self._page.locator("#log li.ours .text").all_inner_texts()]


PEOPLE: dict[str, type[Person]] = {"email": MailUser, "web": FormUser, "telegram": TelegramUser, "x": XUser}
"""Who writes by what needs no more than a town; a `PageVisitor` needs a page."""
