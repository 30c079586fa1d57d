import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.converter import ActivitySerializationContext, NexusSerializationContext, WorkflowSerializationContext

import codec as codec_module
from codec import COMPRESSION, KEY_ID, MAX_INFLATED, SCOPE, SealingCodec
from keys import KeyRing, parse_keys
from models.sealing import MARK, is_sealed

CASE = WorkflowSerializationContext("default", "inquiry/RX-7KQ4-M2PD")
OTHER_CASE = WorkflowSerializationContext("default", "inquiry/RX-AAAA-BBBB")


def ring(*names: str) -> KeyRing:
    return parse_keys(
        ",".join(f"{name}:{base64.b64encode(name.encode().ljust(32)).decode()}" for name in names), "test"
    )


CODEC = SealingCodec(ring("one"))


async def seal(codec: SealingCodec, payload: Payload) -> Payload:
    [sealed] = await codec.encode([payload])
    return sealed


async def unseal(codec: SealingCodec, payload: Payload) -> Payload:
    [opened] = await codec.decode([payload])
    return opened


def plain(data: bytes = b'{"text": "canary"}') -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


def unmarked(payload: Payload) -> Payload:
    copy = Payload()
    copy.CopyFrom(payload)
    copy.metadata.pop(MARK, None)
    return copy


payloads = st.builds(
    Payload,
    metadata=st.dictionaries(
        st.sampled_from(["encoding", KEY_ID, COMPRESSION, SCOPE, MARK, "other"]),
        st.sampled_from([b"binary/encrypted", b"json/plain", b"one", b"zlib", b"1", b"\xff\xfe", b""]) | st.binary(),
    ),
    data=st.binary(max_size=600),
)


@given(st.binary(max_size=2000), st.dictionaries(st.text(max_size=20), st.binary(max_size=20)))
async def test_what_was_sealed_opens_to_the_same(data: bytes, metadata: dict[str, bytes]) -> None:
    original = Payload(metadata=metadata, data=data)
    sealed = await seal(CODEC, original)
    assert sealed.metadata["encoding"] == b"binary/encrypted"
    opened = await unseal(CODEC, sealed)
    assert is_sealed(opened)
    assert unmarked(opened) == unmarked(original)


@given(payloads)
async def test_garbage_never_raises_and_is_handed_on_without_the_mark(garbage: Payload) -> None:
    before = garbage.SerializeToString(deterministic=True)
    opened = await unseal(CODEC, garbage)
    assert opened == unmarked(garbage)
    assert not is_sealed(opened)
    assert garbage.SerializeToString(deterministic=True) == before


@given(st.data())
async def test_no_bit_of_a_sealed_payload_can_be_changed(data: st.DataObject) -> None:
    sealed = await seal(SealingCodec(ring("one", "two")), plain(b"a" * 400))
    place = data.draw(st.integers(0, len(sealed.data) * 8 - 1))
    changed = bytearray(sealed.data)
    changed[place // 8] ^= 1 << place % 8
    sealed.data = bytes(changed)
    assert await unseal(CODEC, sealed) == sealed


@pytest.mark.parametrize(
    ("name", "value"),
    [(KEY_ID, b"two"), (COMPRESSION, b""), (COMPRESSION, b"gzip"), (SCOPE, b"inquiry/RX-AAAA-BBBB"), (SCOPE, b"")],
)
async def test_the_clear_metadata_is_bound_into_the_seal(name: str, value: bytes) -> None:
    both = SealingCodec(ring("one", "two")).with_context(CASE)
    sealed = await seal(both, plain(b"a" * 400))
    assert is_sealed(await unseal(both, sealed))
    sealed.metadata[name] = value
    assert await unseal(both, sealed) == sealed


@given(st.integers(0, 200))
async def test_a_truncated_payload_is_handed_on(length: int) -> None:
    sealed = await seal(CODEC, plain(b"a" * 180))
    sealed.data = sealed.data[: min(length, len(sealed.data) - 1)]
    assert await unseal(CODEC, sealed) == sealed


async def test_plain_payloads_of_the_command_line_pass_through() -> None:
    assert await unseal(CODEC, plain()) == plain()
    assert not is_sealed(plain())


async def test_the_mark_cannot_be_forged() -> None:
    forged = plain()
    forged.metadata[MARK] = b"1"
    assert is_sealed(forged)
    assert not is_sealed(await unseal(CODEC, forged))
    unknown = await seal(SealingCodec(ring("stranger")), plain())
    unknown.metadata[MARK] = b"1"
    assert not is_sealed(await unseal(CODEC, unknown))


async def test_the_mark_is_not_carried_into_the_seal() -> None:
    opened = await unseal(CODEC, await seal(CODEC, plain()))
    again = await unseal(CODEC, await seal(CODEC.with_context(CASE), opened))
    assert again == plain()


async def test_a_payload_copied_to_another_case_is_readable_but_not_trusted() -> None:
    sealed = await seal(CODEC.with_context(CASE), plain())
    assert is_sealed(await unseal(CODEC.with_context(CASE), sealed))
    elsewhere = await unseal(CODEC.with_context(OTHER_CASE), sealed)
    assert elsewhere == plain()
    assert not is_sealed(elsewhere)


async def test_activities_share_the_scope_of_their_workflow() -> None:
    context = ActivitySerializationContext("default", "1", "send", "plazo", CASE.workflow_id, "Inquiry", is_local=False)
    sealed = await seal(CODEC.with_context(context), plain())
    assert is_sealed(await unseal(CODEC.with_context(CASE), sealed))


def test_other_contexts_leave_the_scope_as_it_is() -> None:
    assert CODEC.with_context(NexusSerializationContext("endpoint", "service", "operation")) is CODEC


async def test_rotation_the_first_key_encodes_and_all_decode() -> None:
    old, both, new = (SealingCodec(ring(*names)) for names in (("old",), ("new", "old"), ("new",)))
    sealed_before, sealed_after = await seal(old, plain()), await seal(both, plain())
    assert sealed_after.metadata[KEY_ID] == b"new"
    assert is_sealed(await unseal(both, sealed_before))
    assert is_sealed(await unseal(both, sealed_after))
    assert is_sealed(await unseal(new, sealed_after))
    assert await unseal(new, sealed_before) == sealed_before


async def test_two_seals_of_one_payload_differ() -> None:
    assert (await seal(CODEC, plain())).data != (await seal(CODEC, plain())).data


async def test_long_text_is_compressed_and_noise_is_not() -> None:
    text = await seal(CODEC, plain(b"the same words again " * 100))
    assert text.metadata[COMPRESSION] == b"zlib"
    assert len(text.data) < 200
    short = await seal(CODEC, plain(b"short"))
    assert COMPRESSION not in short.metadata


@pytest.mark.parametrize("size", [MAX_INFLATED, MAX_INFLATED + 1])
async def test_what_is_too_big_to_inflate_is_never_deflated(size: int) -> None:
    big = plain(b"\0" * size)
    sealed = await seal(CODEC, big)
    assert COMPRESSION not in sealed.metadata
    assert unmarked(await unseal(CODEC, sealed)) == big


@pytest.mark.parametrize(
    "compressed",
    [
        zlib.compress(Payload(data=b"\0" * (MAX_INFLATED + 1)).SerializeToString()),
        zlib.compress(Payload(data=b"cut short" * 50).SerializeToString())[:-6],
        b"not compressed at all",
        zlib.compress(b"\xff\xff\xff no payload"),
    ],
    ids=["bomb", "cut short", "no zlib", "no payload"],
)
async def test_a_bomb_or_nonsense_under_a_good_seal_is_handed_on(
    compressed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec_module, "_deflate", lambda _plain: compressed)
    sealed = await seal(CODEC, Payload(data=b"\0" * 100_000))
    assert sealed.metadata[COMPRESSION] == b"zlib"
    assert await unseal(CODEC, sealed) == sealed
