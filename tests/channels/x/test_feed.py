from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.message import Disposition, InboundMessage
from channels.port import Arrivals, Batch, Feed
from channels.x.adapter import X
from channels.x.reading import Reader
from counterparts.x import envelopes
from counterparts.x.app import Arrangement
from models.errors import OperatorError, TransientError
from tests.channels.x.places import House, Standin, Taken, adapter, letter, now, open_standin

SOON = timedelta(minutes=2)


def nothing(provider_id: str) -> bool:
    return False


def reconciliation(channel: X) -> Feed:
    [found] = [one for one in channel.feeds() if one.name == "x"]
    return found


def mentions(channel: X) -> Feed:
    [found] = [one for one in channel.feeds() if one.name == "x_mentions"]
    return found


def watch(channel: X) -> Feed:
    [found] = [one for one in channel.feeds() if one.name == "x_webhook"]
    return found


def swept(feed: Feed, house: House, cursor: str = "", at: datetime | None = None) -> tuple[list[Batch], str]:
    """Looks until nothing more waits, storing what came before the cursor, as the house does."""
    batches = []
    while True:
        batch = feed.look(cursor, house.known, at or now() + SOON)
        for one in batch.arrivals.messages:
            house.stored[one.provider_id] = one
        batches.append(batch)
        cursor = batch.cursor
        if not batch.more:
            return batches, cursor


def found(batches: list[Batch]) -> list[str]:
    return [one.text for batch in batches for one in batch.arrivals.messages]


@pytest.mark.rule("M3.1")
def test_after_an_outage_of_the_webhook_exactly_what_is_missing_is_found_with_its_true_time(
    channel: X, standin: Standin, house: House
) -> None:
    feed, ana, ben = reconciliation(channel), standin.join(), standin.join("ben")
    standin.says(ana, "uno")
    standin.settled()
    assert [one.text for one in house.stored.values()] == ["uno"]
    batches, cursor = swept(feed, house)
    assert (found(batches), [one.late for one in batches]) == ([], [False])

    standin.set(calling=False)
    missed = [standin.says(person, text) for person, text in ((ana, "dos"), (ben, "tres"), (ana, "cuatro"))]
    standin.set(calling=True)
    standin.says(ben, "cinco")
    assert standin.settled()["lost"] == 3
    assert len(house.stored) == 2

    batches, cursor = swept(feed, house, cursor)
    assert found(batches) == ["dos", "tres", "cuatro"]
    assert [one.late for one in batches] == [True]
    for said in missed:
        message = house.stored[said["id"]]
        assert message.received_at == datetime.fromisoformat(said["at"]).astimezone(UTC)
        handle = "ana" if said["author"] == ana else "ben"
        assert (message.sender, message.sender_name) == (said["author"], f"Ana (@{handle})")
    assert found(swept(feed, house, cursor)[0]) == []


def test_a_message_reads_the_same_from_the_webhook_and_from_the_list(
    channel: X, standin: Standin, house: House
) -> None:
    ana = standin.join()
    standin.says(ana, "¿Y mi retiro? https://example.org/recibo?a=1&b=2 <b>", picture="iVBORw==")
    standin.settled()
    [told] = house.stored.values()
    batch = reconciliation(channel).look("", nothing, now() + SOON)
    [listed] = batch.arrivals.messages
    same = {
        "provider_id",
        "message_id",
        "received_at",
        "sender",
        "sender_name",
        "recipients",
        "text",
        "subject",
        "files",
    }
    assert listed.model_dump(include=same) == told.model_dump(include=same)
    assert told.files


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.1")
def test_a_mention_that_no_webhook_brought_is_found_with_its_true_time(
    channel: X, standin: Standin, house: House
) -> None:
    feed, ana = mentions(channel), standin.join()
    posted = f"/x/api/people/{ana}/posts"
    standin.ask("POST", posted, text="@help uno")
    standin.settled()
    batches, cursor = swept(feed, house)
    assert (found(batches), [one.late for one in batches]) == ([], [False])

    standin.set(calling=False)
    missed = standin.ask("POST", posted, text="@help dos")
    standin.ask("POST", posted, text="nada para nadie")
    standin.says(ana, "en privado")
    batches, cursor = swept(feed, house, cursor)
    assert (found(batches), [one.late for one in batches]) == (["@help dos"], [True])
    message = house.stored[f"post/{missed['id']}"]
    assert message.received_at == datetime.fromisoformat(missed["at"]).astimezone(UTC)
    assert (message.sender, message.sender_name, message.public_place) == (ana, "Ana (@ana)", missed["id"])
    assert found(swept(feed, house, cursor)[0]) == []


def test_a_mention_reads_the_same_from_the_webhook_and_from_the_list(
    channel: X, standin: Standin, house: House
) -> None:
    text = "@help ¿y mi retiro? https://example.org/recibo?a=1&b=2 <b>"
    standin.ask("POST", f"/x/api/people/{standin.join()}/posts", text=text, picture="iVBORw==")
    standin.settled()
    [told] = house.stored.values()
    [listed] = mentions(channel).look("", nothing, now() + SOON).arrivals.messages
    assert listed.model_dump(exclude={"raw_sha256"}) == told.model_dump(exclude={"raw_sha256"})
    assert told.files


def test_a_long_row_of_mentions_is_read_to_its_end(channel: X, standin: Standin, house: House) -> None:
    path = f"/x/api/people/{standin.join()}/posts"
    standin.set(calling=False)
    for n in range(120):
        standin.ask("POST", path, text=f"@help {n}")
    batches, _ = swept(mentions(channel), house)
    assert found(batches) == [f"@help {n}" for n in range(120)]


def test_a_post_passed_on_is_nobodys_message(
    channel: X, standin: Standin, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.set(calling=False)
    standin.ask("POST", f"/x/api/people/{standin.join()}/posts", text="RT @help: hola")
    whole = envelopes.post
    passed_on = {"referenced_tweets": [{"type": "retweeted", "id": "7"}]}
    monkeypatch.setattr(envelopes, "post", lambda said: whole(said) | passed_on)
    assert found(swept(mentions(channel), house)[0]) == []


@pytest.mark.parametrize("mark", ["", "post/"])
def test_one_that_reading_fails_on_is_kept_and_holds_up_no_other(
    channel: X, standin: Standin, house: House, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    standin.set(calling=False)
    ana = standin.join()
    if mark:
        said = [standin.ask("POST", f"/x/api/people/{ana}/posts", text=f"@help {text}") for text in ("mal", "bien")]
    else:
        said = [standin.says(ana, text) for text in ("mal", "bien")]
    whole = Reader._message

    def failing(reader: Reader, about: Any, *rest: Any) -> InboundMessage:
        if about.words.endswith("mal"):
            raise RecursionError
        return whole(reader, about, *rest)

    monkeypatch.setattr(Reader, "_message", failing)
    feed = mentions(channel) if mark else reconciliation(channel)
    _, cursor = swept(feed, house)
    kept = house.stored[f"{mark}{said[0]['id']}"]
    assert (kept.disposition, kept.unreadable) == (Disposition.UNANSWERABLE, "could not be read")
    assert said[0]["id"].encode() in kept.raw
    assert house.stored[f"{mark}{said[1]['id']}"].text.endswith("bien")
    assert found(swept(feed, house, cursor)[0]) == []


def test_what_we_wrote_and_what_was_written_just_now_are_left_alone(channel: X, standin: Standin, house: House) -> None:
    ana = standin.join()
    channel.send(letter(ana), Taken())
    standin.set(calling=False)
    standin.says(ana, "hace un momento")
    feed = reconciliation(channel)
    batches, cursor = swept(feed, house, at=now())
    assert found(batches) == []
    assert found(swept(feed, house, cursor)[0]) == ["hace un momento"]


def test_a_long_sweep_goes_on_where_a_limit_stopped_it(channel: X, standin: Standin, house: House) -> None:
    feed, ana = reconciliation(channel), standin.join()
    standin.set(calling=False)
    for number in range(350):
        standin.says(ana, f"{number}")
    first = feed.look("", house.known, now() + SOON)
    assert (len(first.arrivals.messages), first.more) == (300, True)
    assert [one.text for one in first.arrivals.messages[:2]] == ["50", "51"]
    standin.fault("status", status=429)
    with pytest.raises(TransientError):
        feed.look(first.cursor, house.known, now() + SOON)
    second = feed.look(first.cursor, house.known, now() + SOON)
    assert [one.text for one in second.arrivals.messages] == [str(number) for number in range(50)]
    assert not second.more
    seen = {one.provider_id for one in (*first.arrivals.messages, *second.arrivals.messages)}
    assert feed.look(second.cursor, seen.__contains__, now() + SOON).arrivals == Arrivals()


def test_a_limit_within_a_look_loses_nothing_that_was_read(channel: X, standin: Standin, house: House) -> None:
    feed, ana = reconciliation(channel), standin.join()
    standin.set(calling=False)
    for number in range(150):
        standin.says(ana, f"{number}")
    standin.set(limited=True)
    for _ in range(14):
        feed.look("99999999999999999999", nothing, now())
    batch = feed.look("", house.known, now() + SOON)
    assert (len(batch.arrivals.messages), batch.more) == (100, True)
    with pytest.raises(TransientError) as refused:
        feed.look(batch.cursor, house.known, now() + SOON)
    assert (refused.value.retry_after or 0) > 600
    standin.set(limited=False)
    assert len(feed.look(batch.cursor, house.known, now() + SOON).arrivals.messages) == 50


def test_a_page_that_x_no_longer_knows_begins_the_sweep_again(channel: X, standin: Standin, house: House) -> None:
    standin.set(calling=False)
    standin.says(standin.join(), "perdido")
    feed = reconciliation(channel)
    batches, cursor = swept(feed, house, "5 9 stale-page")
    assert found(batches) == ["perdido"]
    assert len(batches) == 2
    assert " " not in cursor


def test_the_first_sweep_goes_back_as_far_as_is_wanted(
    standin: Standin, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.set(calling=False)
    standin.says(standin.join(), "antes")
    monkeypatch.setenv("PLAZO_X_DAYS_BACK", "0")
    feed = reconciliation(adapter(standin.port, tmp_path))
    batches, cursor = swept(feed, house)
    assert found(batches) == []
    assert found(swept(feed, house, cursor, now() + timedelta(days=1))[0]) == []


def test_out_of_credits_nothing_comes_in_and_the_feed_says_so(channel: X, standin: Standin, house: House) -> None:
    ana = standin.join()
    standin.set(credits=0.005)
    standin.says(ana, "uno")
    assert standin.settled()["lost"] == 1
    with pytest.raises(OperatorError, match=r"^out of credits: "):
        reconciliation(channel).look("", house.known, now() + SOON)
    standin.set(credits=-1)
    assert found(swept(reconciliation(channel), house)[0]) == ["uno"]


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "hang_up_before"}])
def test_a_fault_of_xs_is_for_later(channel: X, standin: Standin, fault: dict[str, int]) -> None:
    standin.fault(**fault)  # type: ignore[arg-type]
    with pytest.raises(TransientError):
        reconciliation(channel).look("", nothing, now())


def test_a_webhook_that_x_marked_invalid_is_validated_again(channel: X, standin: Standin, house: House) -> None:
    ana, feed = standin.join(), watch(channel)
    standin.set(valid=False)
    standin.says(ana, "perdido")
    assert feed.look("", nothing, now()) == Batch(Arrivals(), "")
    assert standin.stands()["valid"] is True
    standin.says(ana, "llega")
    standin.settled()
    assert [one.text for one in house.stored.values()] == ["llega"]


def test_a_webhook_that_does_not_pass_is_told(channel: X, standin: Standin, house: House) -> None:
    standin.set(valid=False)
    house.status = 503
    with pytest.raises(OperatorError, match="CrcValidationFailed"):
        watch(channel).look("", nothing, now())
    house.status = 200
    watch(channel).look("", nothing, now())
    assert standin.stands()["valid"] is True


def test_no_webhook_at_all_is_told(tmp_path: Path) -> None:
    with open_standin(Arrangement()) as alone, pytest.raises(OperatorError, match="no webhook"):
        watch(adapter(alone.port, tmp_path)).look("", nothing, now())


def test_a_wrong_app_token_is_told(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZO_X_BEARER", "wrong")
    with pytest.raises(OperatorError, match="PLAZO_X_BEARER"):
        watch(adapter(standin.port, tmp_path)).look("", nothing, now())
