"""A policy says everything of an operator, and a mistake in it is reported with file, key and line."""

import re
import shutil
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.errors import PolicyError
from models.inquiry import Kind, Language, Outcome, Role
from models.policy_reading import load_policy
from models.terms import Terms
from tests.eased import LEAST

ROXOM = Path("policies/roxom")
POLICY = load_policy(ROXOM)
TEXT = (ROXOM / "policy.toml").read_text(encoding="utf-8")

READINGS: dict[int, dict[str, Any]] = {
    1: {
        "calendar.zone": "America/El_Salvador",
        "terms.acknowledgement_business_days": 5,
        "terms.final_business_days": 30,
        "terms.counted_from": "earlier",
        "terms.receipt_on_closed_day": "does_not_push_start",
    },
    2: {"intake.reception": "provider"},
    3: {"calendar.territory": "national", "calendar.city_days": False},
    4: {"terms.decree_moves_told_date": False},
    5: {
        "terms.extension_max_business_days": 30,
        "terms.extensions_by_agent": 1,
        "terms.extension_kinds": ["complaint"],
        "terms.further_extension_role": "supervisor",
        "terms.resend_business_days": 1,
    },
    6: {
        "terms.external_notice_business_days": 1,
        "terms.external_notice_calendar_days": 15,
        "terms.institution_answered_business_days": 5,
    },
    7: {
        "channels.email.answered_by": "email",
        "channels.web.answered_by": "email",
        "letters.copied": [
            *("acknowledgement", "acknowledgement_late", "extension", "external", "re_estimate", "missed"),
            *("final_upheld", "final_partial", "final_unfounded", "final_inadmissible", "final_inquiry"),
            *("withdrawn", "reopened", "remedy_done", "review_noted", "review_result"),
        ],
    },
    8: {"terms.channel_change_business_days": 1, "channels.fallback": ["email"]},
    9: {
        "terms.missed_notice_business_days": 1,
        "terms.missed_repeat_business_days": 5,
        "terms.missed_estimate_business_days": 5,
    },
    10: {"terms.resend_business_days": 1, "terms.attempts_exhausted_role": "supervisor"},
    11: {"terms.appeal_window_days": 90, "terms.authority_reply_business_days": 5},
    12: {
        "intake.unclear_kind": "complaint",
        "intake.unclear_language": "es+en",
        "letters.prevailing_language": "es",
    },
    13: {"terms.policy_change": "favours_user"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROXOM, tmp_path / "roxom", ignore=shutil.ignore_patterns("letters")))


def mistake(folder: Path, old: str, new: str) -> PolicyError:
    """Replace a text of policy.toml once and return what loading says."""
    assert old in TEXT
    (folder / "policy.toml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(folder)
    assert caught.value.file == str(folder / "policy.toml")
    return caught.value


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


@pytest.mark.parametrize("reading", READINGS)
def test_every_reading_is_a_named_setting_with_the_manuals_default(reading: int) -> None:
    data = tomllib.loads(TEXT)
    for dotted, expected in READINGS[reading].items():
        value: Any = data
        for part in dotted.split("."):
            value = value[part]
        assert value == expected, dotted


@pytest.mark.parametrize("reading", READINGS)
def test_the_file_names_each_reading_beside_a_setting(reading: int) -> None:
    assert re.search(rf"# .*readings? ([\d, and]*\b)?{reading}\b", TEXT)


def test_the_defaults_in_code_are_the_policys() -> None:
    """But for what a case of old does not have: names and dates of referrals, and verifications."""
    alerts = POLICY.reminders, POLICY.urgent
    assert POLICY.terms() == Terms(
        approvals=("resolve.unfounded", "erase", "withdraw"),
        erasure_warnings=(2,),
        areas=tuple(POLICY.areas),
        representatives={name: (f"{name}-lead", f"{name}-deputy") for name in POLICY.areas},
        referral_answer_business_days=5,
        referral_reminder_business_days=1,
        referral_escalates=True,
        information_reminder_business_days=2,
        reminders=alerts[0].order,
        urgent_matters=tuple(alerts[1].matters),
        urgent_order=alerts[1].order,
        urgent_minutes=alerts[1].minutes,
        stale_after_message=True,
        verified_outcomes=tuple(Outcome),
        cause_outcomes=tuple(Outcome),
        remedy_approval_above={"USD": "200.00", "BTC": "0.002"},
        remedy_area="finance",
        remedy_warnings=(5, 1),
        authority_writes_again=True,
        incidents_by_area=True,
        dates_bounded=True,
        proposals_lapse=True,
        copies_follow=True,
        messages_considered=True,
        least_characters=LEAST,
        undo_seconds=60,
        agenda_reminders=True,
        policy_version=POLICY.full_version,
    )


def test_a_case_carries_the_numbers_of_every_section(folder: Path) -> None:
    text = TEXT
    for old, new in (
        ("final_business_days = 30 ", "final_business_days = 20 "),
        ('required = ["resolve.unfounded", "erase", "withdraw"]', 'required = ["resolve", "extend"]'),
        ('fallback = ["email"]', 'fallback = ["web", "email"]'),
        ("unknown_wait_seconds = 300", "unknown_wait_seconds = 7"),
        ("before_due_seconds = 3600", "before_due_seconds = 60"),
        ('"acknowledgement", "acknowledgement_late", ', ""),
        ('further_extension_role = "supervisor"', 'further_extension_role = "compliance"'),
        ('extension_kinds = ["complaint"]', 'extension_kinds = ["complaint", "inquiry"]'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "policy.toml").write_text(text, encoding="utf-8")

    terms = load_policy(folder).terms()

    assert terms.final_business_days == 20
    assert terms.approvals == ("resolve", "extend")
    assert terms.channel_order == ("web", "email")
    assert (terms.unknown_wait_seconds, terms.unknown_wait_margin_seconds) == (7, 60)
    assert terms.copied[0] == "extension"
    assert terms.further_extension_role is Role.COMPLIANCE
    assert terms.extension_kinds == (Kind.COMPLAINT, Kind.INQUIRY)
    assert terms.policy_version != POLICY.full_version
    assert Terms.model_validate_json(terms.model_dump_json()) == terms


@pytest.mark.rule("M2.1")
def test_the_established_channels_are_named() -> None:
    addresses = {name: channel.address for name, channel in POLICY.channels.named.items()}
    assert addresses["email"] == "help@roxom.com"
    assert {"t.me/Roxomse", "@roxomxyz"} <= set(addresses.values())
    enabled = {name for name, channel in POLICY.channels.named.items() if channel.enabled}
    assert enabled == {"email", "web", "chat", "x", "telegram"}
    conversations = {name for name, channel in POLICY.channels.named.items() if channel.conversation}
    assert conversations == {"chat", "x", "telegram"}, "a mail begins a matter of its own"


@pytest.mark.rule("M7.1")
def test_each_language_of_the_manual_has_its_version_and_date() -> None:
    assert (POLICY.manual.es.version, POLICY.manual.es.date) == ("1.0", date(2024, 11, 15))
    assert (POLICY.manual.en.version, POLICY.manual.en.date) == ("1.0", date(2024, 10, 7))


@pytest.mark.rule("M5.4")
def test_every_area_has_a_representative_and_a_deputy_with_titles_in_both_languages() -> None:
    assert set(POLICY.areas) == {"cx", "compliance", "operations", "security", "finance", "legal"}
    for area in POLICY.areas.values():
        assert area.representative != area.deputy
        for text in (area.label, area.representative_title, area.deputy_title):
            assert text.text(Language.ES) == text.es
            assert text.text(Language.EN) == text.en
            assert text.text(Language.BOTH) == f"{text.es} / {text.en}"


@pytest.mark.rule("M3.10")
def test_the_authority_can_be_reached() -> None:
    assert POLICY.authority.name.es == "Defensoría del Consumidor"
    assert POLICY.authority.phone == "910"


def test_the_calendar_follows_the_policys_settings(folder: Path) -> None:
    day = date(2026, 8, 5)
    assert POLICY.calendar(date(2026, 1, 1), date(2026, 12, 31)).is_business_day(day)
    (folder / "policy.toml").write_text(TEXT.replace("city_days = false", "city_days = true"), encoding="utf-8")
    policy = load_policy(folder)
    assert not policy.calendar(date(2026, 1, 1), date(2026, 12, 31)).is_business_day(day)
    assert policy.whole_calendar(city_days=False).is_business_day(day)


def test_a_snapshot_reaches_from_before_the_reception_over_the_horizon() -> None:
    snapshot = POLICY.snapshot(datetime(2026, 3, 1, 3, tzinfo=UTC))
    assert (snapshot.first, snapshot.last) == (date(2025, 12, 30), date(2028, 2, 28))


def test_reception_is_the_providers_time_and_never_later_than_ours(folder: Path) -> None:
    stored = datetime(2026, 3, 2, 12, tzinfo=UTC)
    before, after = stored - timedelta(hours=30), stored + timedelta(hours=1)
    assert POLICY.received_at(before, stored) == before
    assert POLICY.received_at(after, stored) == stored
    assert POLICY.received_at(None, stored) == stored
    text = TEXT.replace('reception = "provider"', 'reception = "stored"')
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    assert load_policy(folder).received_at(before, stored) == stored


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("final_business_days = 30 ", "final_business_days = -30 ", "terms.final_business_days", "greater than"),
        ("final_business_days = 30 ", 'final_business_days = "30" ', "terms.final_business_days", "valid integer"),
        ("final_business_days = 30 ", "final_business_days = 30.5 ", "terms.final_business_days", "valid integer"),
        ("final_business_days = 30 ", "final_business_days = true ", "terms.final_business_days", "valid integer"),
        ("final_business_days = 30 ", "final_busines_days = 30 ", "terms.final_busines_days", "unknown key"),
        ("final_warnings = [10, 5, 2, 1]", "final_warnings = [10, 0]", "terms.final_warnings[1]", "greater than"),
        ("city_days = false", 'city_days = "no"', "calendar.city_days", "valid boolean"),
        ("horizon_days = 730", "horizon_days = 30", "calendar.horizon_days", "greater than"),
        ('zone = "America/El_Salvador"', 'zone = "America/Atlantis"', "calendar.zone", "is unknown"),
        ('territory = "national"', 'territory = "Atlantis"', "calendar.territory", "name one of national, Ahuachapán"),
        ('fallback = ["email"]', 'fallback = ["email", "fax"]', "channels.fallback[1]", "'fax' is no enabled channel"),
        ('answered_by = "telegram"', 'answered_by = "fax"', "channels.telegram.answered_by", "'fax' is no enabled"),
        ('answered_by = "email"\n', 'answered_by = "fax"\n', "channels.web.answered_by", "is no enabled channel"),
        ("[channels.telegram]", "[channels.Telegram]", "channels.Telegram", "should match pattern"),
        ('deputy = "legal-deputy"', 'deputy = "legal-lead"', "areas.legal.deputy", "is the representative too"),
        (
            "reminder_business_days = 1 ",
            "reminder_business_days = 5 ",
            "referral.reminder_business_days",
            "give less than",
        ),
        ('supervisors = ["cx-supervisor"]', "supervisors = []", "staff.supervisors", "at least 1"),
        ('area = "cx"\n\n[sign', 'area = "us"\n\n[sign', "assignment.rules[0].area", "unknown area 'us'"),
        ("[areas.legal]", '[areas."The Law"]', "areas.The Law", "should match pattern"),
        ("executive = {", "email = {", "registration.places.email", "is a channel"),
        ('area = "cx" # M3.1\n', 'area = "nobody"\n', "signing.area", "unknown area 'nobody'; name one of cx, "),
        ('area = "cx"                  #', 'area = "nobody" #', "intake.area", "unknown area 'nobody'"),
        (
            'required = ["resolve.unfounded", "erase", "withdraw"]',
            'required = ["resolv"]',
            "approval.required[0]",
            "unknown 'resolv'",
        ),
        ('prevailing_language = "es"', 'prevailing_language = "fr"', "letters.prevailing_language", "input should be"),
        ('after_close = "new"', 'after_close = "ask"', "intake.after_close", "input should be 'new' or 'reopen'"),
        ('unclear_kind = "complaint"', 'unclear_kind = "rant"', "intake.unclear_kind", "input should be"),
        ('reference_prefix = "RX"', 'reference_prefix = "r1"', "operator.reference_prefix", "should match pattern"),
        ('website = "https://roxom.com"', 'website = "roxom.com"', "operator.website", "should match pattern"),
        ('legal_name = "Roxom Markets, S.A. de C.V."', 'legal_name = " "', "operator.legal_name", "at least 1"),
        ("date = 2024-10-07", 'date = "October"', "manual.en.date", "valid date"),
        ('label = { es = "Legal", en = "Legal" }', 'label = { es = "Legal" }', "areas.legal.label.en", "is missing"),
        ('email = "" #', 'email = "nowhere" #', "authority.email", "should match pattern"),
    ],
)
def test_a_mistake_is_reported_with_file_key_and_line(folder: Path, old: str, new: str, key: str, says: str) -> None:
    error = mistake(folder, old, new)
    assert (error.key, error.line) == (key, line_of(old))
    assert says in error.problem
    assert str(error).startswith(f"{folder}/policy.toml:{error.line}: {key}: ")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('fallback = ["email"]', 'fallback = ["telegram"]', "channels.fallback[0]"),
        ('answered_by = "email"\n', 'answered_by = "telegram"\n', "channels.web.answered_by"),
    ],
)
def test_a_channel_that_is_switched_off_carries_no_letters(folder: Path, old: str, new: str, key: str) -> None:
    off = TEXT.index("enabled = true", TEXT.index("[channels.telegram]"))
    without = f"{TEXT[:off]}enabled = false{TEXT[off + len('enabled = true') :]}"
    (folder / "policy.toml").write_text(without, encoding="utf-8")
    load_policy(folder)
    (folder / "policy.toml").write_text(without.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError, match="'telegram' is no enabled channel; add or enable") as caught:
        load_policy(folder)
    assert (caught.value.key, caught.value.line) == (key, line_of(old))


def test_a_copied_letter_that_no_template_knows_is_reported(folder: Path) -> None:
    error = mistake(folder, '"acknowledgement", "ack', '"acknowledgment", "ack')
    assert (error.key, error.line) == ("letters.copied[0]", line_of("copied = ["))


def test_a_setting_left_out_of_the_terms_is_reported_at_its_section(folder: Path) -> None:
    error = mistake(folder, "appeal_window_days = 90 ", "# ")
    assert (error.key, error.line) == ("terms.appeal_window_days", line_of("[terms]"))
    assert "every setting stands in the file" in error.problem


def test_a_misspelt_section_is_reported_rather_than_the_missing_one(folder: Path) -> None:
    error = mistake(folder, "[signing]", "[singing]")
    assert (error.key, error.line) == ("singing", line_of("[signing]"))


def test_a_section_left_out_is_reported(folder: Path) -> None:
    text = TEXT[: TEXT.index("[mail]")]
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match="mail: is missing") as caught:
        load_policy(folder)
    assert (caught.value.key, caught.value.line) == ("mail", 1)


def test_a_licence_in_a_list_has_its_own_line(folder: Path) -> None:
    error = mistake(folder, 'number = "CNAD-CD-133-2025"', "number = 133")
    assert (error.key, error.line) == ("operator.licences[1].number", line_of("CNAD-CD-133-2025"))


def test_what_is_not_toml_is_reported_at_its_line(folder: Path) -> None:
    error = mistake(folder, "final_business_days = 30 ", "final_business_days = = 30 ")
    assert error.line == line_of("final_business_days")
    assert "is not TOML" in error.problem
    error = mistake(folder, "fallback = [", "warning = '''")
    assert error.line >= TEXT.count("\n")


@pytest.mark.parametrize("name", ["policy.toml", "calendar.toml", "decrees.toml"])
def test_a_missing_or_unreadable_file_is_reported(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"version = '\xff'")
    with pytest.raises(PolicyError, match="is not UTF-8 text") as caught:
        load_policy(folder)
    assert caught.value.file == str(folder / name)
    (folder / name).unlink()
    with pytest.raises(PolicyError, match="cannot be read; put the file there") as caught:
        load_policy(folder)
    assert caught.value.file == str(folder / name)


@pytest.mark.rule("M5.4")
def test_an_area_is_spoken_for_by_its_representative_and_its_deputy() -> None:
    for who, areas in (("finance-lead", {"finance"}), ("finance-deputy", {"finance"}), ("ana", set())):
        assert POLICY.spoken_for(who) == areas
