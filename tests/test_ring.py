"""A new key while everything runs: nothing is lost, no key is shown, and an old one goes when nothing needs it."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.converter import WorkflowSerializationContext

import keys
import ring_file
from codec import KEY_ID, SealingCodec
from keys import KeyRing, parse_keys, read_keys
from models.errors import Refused, SettingsError
from models.sealing import is_sealed
from plugin import data_converter, plazo_plugin
from records import hooks
from records.database import Database
from settings import load_settings
from starter.admin import hook_secrets
from tests.cases import MONDAY
from tests.keeping.house import Plazo, temporal
from tests.workflows.steady import Steady, steadily

OLD = base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "LOOK_AGAIN", -1.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "ring"
    place.write_text(f"test:{OLD}\n")
    place.chmod(0o640)
    return place


async def sealed_by(ring: KeyRing) -> Any:
    [payload] = await SealingCodec(ring).encode(await data_converter(ring).encode(["ana.canary"]))
    return payload


def test_a_new_key_is_put_in_front_and_the_old_one_opens_still(file: Path) -> None:
    made = ring_file.add(file, MONDAY)
    ring = read_keys(file)
    assert ring.ids == (made, "test")
    assert ring.keys["test"] == b"k" * 32
    assert len(ring.keys[made]) == 32
    assert file.stat().st_mode & 0o777 == 0o640
    found = ring_file.made_on(made)
    assert found is not None
    assert found.date() == MONDAY.date()
    assert [ring_file.made_on(one) for one in ("test", "k1", "dev-12ab34", "k2026-x")] == [None] * 4


def test_a_key_behind_waits_until_it_is_put_in_front(file: Path) -> None:
    made = ring_file.add(file, MONDAY, behind=True)
    assert read_keys(file).ids == ("test", made)
    ring_file.promote(file, made)
    assert read_keys(file).ids == (made, "test")
    with pytest.raises(Refused, match="no key with this id"):
        ring_file.promote(file, "none")


def test_a_retired_key_is_kept_beside_and_the_first_one_stays(file: Path) -> None:
    with pytest.raises(Refused, match="put another key in front"):
        ring_file.retire(file, "test")
    second, third = ring_file.add(file, MONDAY), ring_file.add(file, MONDAY)
    ring_file.retire(file, "test")
    ring_file.retire(file, second)
    assert read_keys(file).ids == (third,)
    beside = file.with_name("ring.retired")
    assert set(read_keys(beside).ids) == {"test", second}
    assert beside.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused, match="no key with this id"):
        ring_file.retire(file, "test")


def test_a_ring_that_cannot_be_written_stays_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_text()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SettingsError, match="nothing was changed"):
        ring_file.add(file, MONDAY)
    assert file.read_text() == before
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".")] == []


async def test_a_running_process_sees_the_new_key_and_forgets_none(file: Path) -> None:
    running = SealingCodec(read_keys(file)).with_context(WorkflowSerializationContext("default", "inquiry/x"))
    [early] = await running.encode([await sealed_by(read_keys(file))])
    made = ring_file.add(file, MONDAY)
    elsewhere = SealingCodec(read_keys(file)).with_context(WorkflowSerializationContext("default", "inquiry/x"))
    [sealed] = await elsewhere.encode([early])
    assert sealed.metadata[KEY_ID] == made.encode()
    [opened] = await running.decode([sealed])
    assert is_sealed(opened)
    [own] = await running.encode([early])
    assert own.metadata[KEY_ID] == made.encode()
    file.write_text(f"other:{OLD}\n")
    [opened] = await running.decode([sealed])
    assert is_sealed(opened), "what it knew once it opens until it ends"


async def test_a_ring_that_is_half_written_changes_nothing(file: Path) -> None:
    ring = read_keys(file)
    file.write_text("broken")
    assert (ring.first, ring.find("other")) == ("test", None)
    file.unlink()
    assert (ring.first, ring.find("other")) == ("test", None)
    assert parse_keys(f"one:{OLD}", "here").find("other") is None
    assert OLD not in repr(ring)


def test_the_ring_is_found_where_the_settings_have_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "plazo_keys").write_text(f"k1:{OLD}")
    monkeypatch.setenv("PLAZO_SECRETS_DIR", str(folder))
    assert load_settings().key_ring().source == folder / "plazo_keys"
    monkeypatch.setenv("PLAZO_KEYS", f"other:{OLD}")
    assert load_settings().key_ring().source is None
    monkeypatch.delenv("PLAZO_KEYS")
    monkeypatch.delenv("PLAZO_SECRETS_DIR")
    monkeypatch.setenv("PLAZO_KEY_FILE", str(file))
    assert load_settings().key_ring().source == file


class House(Plazo):
    """The commands with a ring in a file."""

    def ring(self, *arguments: str, code: int = 0) -> str:
        said = self.run("ring", *arguments, code=code, PLAZO_KEYS="", PLAZO_KEY_FILE=str(self.var / "ring"))
        assert not any(base64.b64encode(key).decode() in said for key in read_keys(self.var / "ring").keys.values())
        return said


def test_a_ring_in_the_environment_is_not_rotated(tmp_path: Path, records_url: str, file: Path) -> None:
    plazo = House(tmp_path, records_url)
    assert "keep it in a file" in plazo.run("ring", "rotate", code=2)
    made = plazo.ring("rotate", "--behind").split()[0]
    assert f"{made}\topens\t0\t-\t-\t0" in plazo.ring("list")
    assert "in front" in plazo.ring("promote", made)
    assert "encodes" in plazo.ring("retire", made, code=1)
    assert "no key with this id" in plazo.ring("retire", "none", code=1)
    assert "ring.rotate" in plazo.run("audit")


async def under(life: Steady, ring: Path) -> Client:
    """A client as another process has it, made after the ring was changed."""
    return await Client.connect(life.client.service_client.config.target_host, plugins=[plazo_plugin(read_keys(ring))])


async def test_cases_go_on_through_a_rotation_and_the_old_key_goes_when_none_needs_it(
    tmp_path: Path, records_url: str, file: Path
) -> None:
    async with temporal() as address, steadily(records_url, address) as life:
        plazo = House(tmp_path, records_url, address)
        life.client = await under(life, file)
        database = Database(records_url)
        with database.write() as session:
            secret = hook_secrets.seal(read_keys(file), "https://a.example.org", "whsec_1")
            hooks.subscribe(session, "https://a.example.org", [], secret, label="", made_by="ana", now=MONDAY)
        async with life.worker():
            handle = await life.begin()
            await life.quiet(handle)
            made = (await asyncio.to_thread(plazo.ring, "rotate")).strip()
            life.client = await under(life, file)
            later = life.client.get_workflow_handle(handle.id)
            answer = await life.command(later, "note", text="seen", key="n1")
            assert answer.reference in handle.id
            assert (await life.quiet(later)).version > 0
            shown = await asyncio.to_thread(plazo.ring, "list", "--used")
            assert f"{made}\tseals and opens\t0\t1\t0\t0" in shown
            assert "test\topens\t-\t1\t0\t1" in shown
            assert "wait for their end" in await asyncio.to_thread(plazo.ring, "retire", "test", code=1)
            await later.terminate()
            assert "--ended-too" in await asyncio.to_thread(plazo.ring, "retire", "test", code=1)
            assert "retired" in await asyncio.to_thread(plazo.ring, "retire", "test", "--ended-too")
        with database.read() as session:
            [row] = hooks.all_of_them(session)
        assert row.secret.startswith(f"{made}:")
        assert hook_secrets.unseal(read_keys(file), row.url, row.secret) == "whsec_1"
        assert read_keys(file).ids == (made,)
        database.close()
