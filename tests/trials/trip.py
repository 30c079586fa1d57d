"""The round trip that every channel passes: acknowledged, answered, asked again, known, resolved, all in one place."""

from typing import Any, NamedTuple

from tests.faults.voices import Heard
from tests.trials.agent import Agent, heard, reference_of
from tests.trials.people import Person


class Words(NamedTuple):
    """What is said in one language, and what the letters say of themselves."""

    complaint: str
    acknowledgement: str
    reply: str
    more: str
    answer: str
    pointer: str
    final: str


WORDS = {
    "es": Words(
        complaint="Hola, hice un retiro y no me ha llegado. ¿Por qué?",
        acknowledgement="Hemos recibido su",
        reply="Su retiro salió el lunes; le escribiremos de nuevo el viernes.",
        more="Sigue sin llegar, y es mi dinero.",
        answer="El retiro se retuvo por error y salió hoy.",
        pointer="Léala completa aquí",
        final="Esta es nuestra respuesta final",
    ),
    "en": Words(
        complaint="Hello, I made a withdrawal and it has not arrived. Why is that?",
        acknowledgement="We have received your",
        reply="Your withdrawal left on Monday; we will write again on Friday.",
        more="It still has not arrived, and it is my money.",
        answer="The withdrawal was held by mistake and left today.",
        pointer="Read it in full here",
        final="This is our final answer",
    ),
}


async def round_trip(person: Person, agent: Agent, *, known: bool = False) -> str:
    """Go all the way; return the reference. `known`: the channel vouches for the person, who is written to in full."""
    words = WORDS[person.language]
    await person.arrive()
    await person.write(words.complaint)
    acknowledgement = (await heard(person, 1))[-1]
    reference = reference_of(acknowledgement)
    assert words.acknowledgement in acknowledgement.text
    await _threaded(acknowledgement, person)

    await agent.status(reference, "open")
    await agent.command(reference, "reply", text=words.reply)
    reply = (await heard(person, 2))[-1]
    assert reference in reply.text
    assert (words.reply in reply.text) is known, "to a mere handle nothing of the account is told"
    assert (words.pointer in reply.text) is not known
    await _threaded(reply, person)

    await person.answer(reply, words.more)
    await agent.happened(reference, "message.received")
    if not known:
        await _show(person, agent, reference)
    await agent.command(reference, "resolve", **_resolution(words))
    final = (await heard(person, 3))[-1]
    assert words.final in final.text
    assert words.answer in final.text, "whoever is known is told all"
    assert reference in final.text
    await _threaded(final, person)
    await agent.status(reference, "answered")

    kinds = ["acknowledgement", "reply", "final_upheld"]
    assert await agent.letters(reference) == [(kind, person.channel) for kind in kinds]
    turns = (await agent.get(f"/inquiries/{reference}/thread"))["items"]
    assert len([one for one in turns if one["direction"] == "in"]) == 2
    assert {one["channel"] for one in turns if one["direction"] == "out" and "copy" not in one["key"]} == {
        person.channel
    }
    return reference


async def _threaded(letter: Heard, person: Person) -> None:
    if person.threads:
        assert letter.answers == await person.latest()


async def _show(person: Person, agent: Agent, reference: str) -> None:
    """The operator's portal gives a code to its user, who shows it where they write to us."""
    code, links = await agent.bind(f"account-{person.n}", f"registered-{person.n}@example.org")
    await person.show(code, links.get(person.channel, ""))
    await agent.happened(reference, "identity.bound")


def _resolution(words: Words) -> dict[str, Any]:
    points = [{"point": words.complaint, "answer": words.answer}]
    return {"outcome": "upheld", "points": points, "actions": [words.answer], "cause": "withdrawal.delayed"}
