"""A letter's context in the words of one language, dates included: the fields of `activities.letters.fields`."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location

from activities.letters.context import FAILED_CHANNEL, LetterContext, Step
from activities.letters.markup import Link
from models.identity import Says
from models.inquiry import Kind, Language
from models.letters import LetterKind
from models.policy_file import Bilingual

Row = dict[str, str]
Fields = dict[str, str | list[Row]]

PATTERN = {Language.ES: "EEEE d 'de' MMMM 'de' y", Language.EN: "EEEE d MMMM y"}
INQUIRY = {
    (Kind.COMPLAINT, Language.ES): "reclamo",
    (Kind.COMPLAINT, Language.EN): "complaint",
    (Kind.INQUIRY, Language.ES): "consulta",
    (Kind.INQUIRY, Language.EN): "inquiry",
}
NAME_OF_LANGUAGE = {
    (Language.ES, Language.ES): "español",
    (Language.ES, Language.EN): "Spanish",
    (Language.EN, Language.ES): "inglés",
    (Language.EN, Language.EN): "English",
}
END_OF_DAY = "23:59:59"


class Speech:
    """How one language says dates and labels; `zone` is the operator's time zone."""

    def __init__(self, language: Language, zone: str) -> None:
        """`language` is Spanish or English, never both."""
        self.language, self.zone = language, ZoneInfo(zone)

    def say(self, label: Bilingual | str | None) -> str:
        """A label in this language; free text as it is."""
        return label.text(self.language) if isinstance(label, Bilingual) else label or ""

    def day(self, at: date) -> str:
        """A date in words, such as `martes 7 de abril de 2026`; an aware time is taken in the operator's zone."""
        local = at.astimezone(self.zone).date() if isinstance(at, datetime) else at
        return _spaces(format_date(local, PATTERN[self.language], locale=self.language.value))

    def moment(self, at: datetime) -> str:
        """An aware time in words, such as `martes 7 de abril de 2026, 09:00 (hora de El Salvador)`."""
        local = at.astimezone(self.zone)
        clock = format_time(local.time(), "HH:mm", locale=self.language.value)
        place = get_timezone_location(self.zone, locale=self.language.value)
        return _spaces(f"{self.day(at)}, {clock} ({place})")

    def until(self, at: datetime | None) -> str:
        """A due date: the day alone where it ends with the day, else with its time; empty for none."""
        if at is None:
            return ""
        ends_with_day = at.astimezone(self.zone).strftime("%H:%M:%S") == END_OF_DAY
        return self.day(at) if ends_with_day else self.moment(at)

    def written(self, value: str) -> str:
        """An ISO date or time in words; anything else as it is."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return self.until(at) if at.tzinfo else self.day(at.date())


def _spaces(text: str) -> str:
    """Locale data uses spaces that some mail programs show as boxes."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def fields(
    context: LetterContext,
    language: Language,
    names: Mapping[LetterKind, str],
    *,
    title: str,
    template: str,
    version: str,
) -> Fields:
    """Every field of `FIELDS` in that language, empty where the letter does not say it.

    `names` are the names of all letters; `title`, `template` and `version` are those of the template that is rendered.
    """
    speech = Speech(language, context.zone)
    return {
        **_common(context, speech, template, version),
        **_reception(context, speech),
        **_on_the_way(context, speech),
        **_answer(context, speech),
        **_after(context, speech, names),
        "letter_name": title,
    }


def _common(context: LetterContext, speech: Speech, template: str, version: str) -> Fields:
    operator, authority = context.operator, context.authority
    manual = context.manual.en if speech.language is Language.EN else context.manual.es
    prevails = NAME_OF_LANGUAGE[context.prevailing, speech.language] if len(context.languages) > 1 else ""
    return {
        "reference": context.reference,
        "sent": speech.moment(context.now),
        "legal_name": operator.legal_name,
        "licences": [{"name": speech.say(one.name), "number": one.number} for one in operator.licences],
        "signer_role": speech.say(context.signer_role),
        "signer_area": speech.say(context.signer_area),
        "contact": context.contact,
        "channels": [{"label": speech.say(one.label), "address": one.address} for one in context.contacts],
        "warning": speech.say(operator.warning),
        "status_link": Link(context.status_link),
        "chain_head": context.chain_head,
        "template": template,
        "template_version": version,
        "manual_version": manual.version,
        "manual_date": speech.day(manual.date),
        "manual_url": Link(operator.manual_url),
        "prevailing": prevails,
        "again": "yes" if "again" in context.facts else "",
        "copy": "yes" if context.copy_of else "",
        "mail": "yes" if context.by_mail else "",
        "authority_name": speech.say(authority.name),
        "authority_phone": authority.phone,
        "authority_web": Link(authority.web),
        "authority_email": authority.email,
    }


def _reception(context: LetterContext, speech: Speech) -> Fields:
    return {
        "inquiry": INQUIRY[context.inquiry, speech.language],
        "received": speech.moment(context.received_at),
        "channel": speech.say(context.channel),
        "words": context.words if context.bound else "",
        "words_hash": "" if context.bound else context.words_hash,
        "answer_by": speech.until(context.answer_by),
        "promised_by": speech.written(context.facts.get("promised", "")),
        "cause": context.cause,
    }


def _on_the_way(context: LetterContext, speech: Speech) -> Fields:
    facts, texts = context.facts, context.texts
    reasons = texts.get("reasons") or context.content.reasons
    failed = reasons == FAILED_CHANNEL
    elsewhere = context.says is Says.WITHOUT_WORDS
    return {
        "area": speech.say(context.area),
        "representative": speech.say(context.representative),
        "reasons": "" if failed or elsewhere else reasons,
        "old_date": speech.written(facts.get("old", "")) if "new" in facts and "number" in facts else "",
        "new_date": speech.written(facts.get("new", "")) if "number" in facts else "",
        "extension_number": facts.get("number", ""),
        "first_extension": "yes" if facts.get("number") == "1" else "",
        "steps": [_step(step, speech) for step in context.steps],
        "institution": texts.get("institution", "") or _institution(context),
        "asked": "" if elsewhere else texts.get("asked", ""),
        "asked_on": speech.day(context.asked_on) if context.asked_on else "",
        "shared": "" if elsewhere else texts.get("shared", ""),
        "estimate": speech.written(facts.get("estimate", "")),
        "old_estimate": speech.written(facts.get("old_estimate", "")),
        "moved": facts.get("moved", ""),
        "old_channel": speech.say(context.old_channel),
        "new_channel": speech.say(context.new_channel),
        "old_failed": "yes" if failed else "",
        "missed_on": speech.written(facts.get("missed", "")),
        "work": facts.get("work", ""),
    }


def _institution(context: LetterContext) -> str:
    """The institution last involved, where the letter itself does not name one."""
    named = [step.detail for step in context.steps if step.code == "escalated"]
    return str(named[-1]) if named else ""


def _step(step: Step, speech: Speech) -> Row:
    return {"code": step.code, "date": speech.day(step.at), "detail": speech.say(step.detail)}


def _answer(context: LetterContext, speech: Speech) -> Fields:
    content = context.content
    return {
        "text": context.texts.get("text") or content.text,
        "items": [{"item": one.item, "why": one.why} for one in content.items],
        "by": speech.written(context.facts.get("by", "")),
        "identity_link": Link(content.link),
        "link_ends": speech.written(content.link_ends),
        "requested_on": speech.day(datetime.fromisoformat(context.facts["requested"]))
        if "requested" in context.facts
        else "",
        "points": [
            {
                "number": str(number),
                "point": one.point,
                "answer": one.answer,
                "finding": one.finding,
                "facts": one.facts_verified,
                "source": one.source,
                "rule": one.rule,
                "why": one.why,
            }
            for number, one in enumerate(content.points, 1)
        ],
        "actions": [{"text": one} for one in content.actions],
        "remedy_what": context.texts.get("what") or content.remedy.what,
        "remedy_amount": context.facts.get("amount") or content.remedy.amount,
        "remedy_by": speech.written(content.remedy.by),
        "done_on": speech.written(context.facts.get("done", "")),
        "where_else": content.where_else,
    }


def _after(context: LetterContext, speech: Speech, names: Mapping[LetterKind, str]) -> Fields:
    facts = context.facts
    points = {int(key[6:]): text for key, text in context.texts.items() if key.startswith("point_")}
    return {
        "withdrawn_on": speech.day(context.withdrawn_on) if context.withdrawn_on else "",
        "written_on": speech.moment(context.written_at) if context.written_at else "",
        "leading": facts.get("leading") or context.reference,
        "other": facts.get("other") or (context.reference if "leading" in facts else ""),
        "split_points": [{"text": points[number]} for number in sorted(points)],
        "file_number": context.file_number,
        "review_by": facts.get("by", "user") if context.kind is LetterKind.REVIEW_NOTED else "",
        "authority_date": speech.written(facts.get("answer_by", "")),
        "result": facts.get("result", ""),
        "letters": [
            {
                "name": names[one.kind],
                "key": one.key,
                "sent": speech.moment(one.accepted_at),
                "delivered": speech.moment(one.delivered_at) if one.delivered_at else "",
            }
            for one in context.letters
        ],
    }
