"""What a stranger may send: inputs, names and orders, each with the code of its refusal."""

import json

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from codec import ENCODING, KEY_ID

LATER = '"until": "2027-01-29", "reasons": "x"'

NEST, NEST_END = '{"x":' * 9_000, "}" * 9_000


def raw(data: bytes, encoding: bytes = b"json/plain", **metadata: bytes) -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding, **metadata}, data=data))


def text(json_text: str) -> list[RawValue]:
    return [raw(json_text.encode())]


REFERENCE = raw(b'{"driverName":"x"}', b"json/protobuf", messageType=b"temporal.api.sdk.v1.ExternalStorageReference")

INPUTS: dict[str, tuple[list[RawValue], str]] = {
    "no input": ([], "command.inputs"),
    "two inputs": (text(f"{{{LATER}}}") * 2, "command.inputs"),
    "null": (text("null"), "command.malformed"),
    "a number": (text("7"), "command.malformed"),
    "a text": (text('"extend it"'), "command.malformed"),
    "a list": (text("[1, 2]"), "command.malformed"),
    "nothing at all": (text(""), "command.unreadable"),
    "half of it": (text('{"until": '), "command.unreadable"),
    "a missing field": (text('{"until": "2027-01-29"}'), "command.malformed"),
    "an unknown field": (text(f'{{{LATER}, "colour": "red"}}'), "command.malformed"),
    "a list for a text": (text('{"until": "2027-01-29", "reasons": ["x"]}'), "command.malformed"),
    "a number for a date": (text('{"until": 20270129, "reasons": "x"}'), "command.malformed"),
    "a date that is none": (text('{"until": "2027-02-31", "reasons": "x"}'), "command.malformed"),
    "a time without offset": (text('{"until": "2027-01-29T10:00:00", "reasons": "x"}'), "command.malformed"),
    "the last day of all": (text('{"until": "9999-12-31", "reasons": "x"}'), "date.absurd"),
    "the last second of all": (text('{"until": "9999-12-31T23:59:59Z", "reasons": "x"}'), "date.absurd"),
    "the first second of all": (text('{"until": "0001-01-01T00:00:00+14:00", "reasons": "x"}'), "date.absurd"),
    "NaN for a date": (text('{"until": NaN, "reasons": "x"}'), "command.malformed"),
    "NaN for a version": (text(f'{{{LATER}, "expected_version": NaN}}'), "command.malformed"),
    "a version without end": (text(f'{{{LATER}, "expected_version": {"9" * 4000}}}'), "case.stale"),
    "blank reasons": (text('{"until": "2027-01-29", "reasons": "\\u0000 \\u2028"}'), "command.malformed"),
    "an actor who is a list": (text(f'{{{LATER}, "actor": []}}'), "command.malformed"),
    "a surrogate in a value": (text('{"until": "2027-01-29", "reasons": "\\ud800"}'), "command.unreadable"),
    "a surrogate in a name": (text(f'{{{LATER}, "\\ud800": 1}}'), "command.unreadable"),
    "a surrogate in UTF-8": ([raw(b'{"until": "2027-01-29", "reasons": "\xed\xa0\x80"}')], "command.unreadable"),
    "bytes that are no UTF-8": ([raw(b'{"\xff\xfe": 1}')], "command.unreadable"),
    "deeply nested": (text("[" * 50_000 + "]" * 50_000), "command.unreadable"),
    "nested in a field": (text(f'{{"x": {NEST}1{NEST_END}}}'), "command.unreadable"),
    "a megabyte of text": (text(f'{{"until": "2027-01-29", "reasons": "{"a" * 1_000_000}"}}'), "command.too-long"),
    "a megabyte of fields": (text(json.dumps({f"f{n}": n for n in range(70_000)})), "command.too-long"),
    "garbage under our label": ([raw(b"garbage", ENCODING)], "command.unreadable"),
    "garbage under our key": ([raw(b"g" * 100, ENCODING, **{KEY_ID: b"test"})], "command.unreadable"),
    "a key nobody has": ([raw(b"g" * 100, ENCODING, **{KEY_ID: b"\xff"})], "command.unreadable"),
    "bare bytes": ([raw(b"\x00\x01", b"binary/plain")], "command.malformed"),
    "an encoding nobody knows": ([raw(b"{}", b"\xff\xfe")], "command.unreadable"),
    "no encoding": ([RawValue(Payload(data=b"{}"))], "command.unreadable"),
    "a message of protobuf": ([raw(b"{}", b"json/protobuf", messageType=b"no.such.Message")], "command.unreadable"),
    "a pointer to elsewhere": ([REFERENCE], "command.malformed"),
    "an old pointer to elsewhere": ([raw(b"{}", b"json/external-storage-reference")], "command.unreadable"),
    "a marked pointer to elsewhere": (
        [raw(b"x", ENCODING, __temporal_external_storage_reference=b"true")],
        "command.unreadable",
    ),
}
"""What may come as the input of `extend`, and how the case calls it."""

NAMES = [
    "resolve",
    "Extend",
    "extend ",
    "x" * 900,
    "\x00\x1b[31m\u202e\x7f",
    "¡ñ😀",
    "__temporal_nothing",
    "__stack_trace",
]

OTHER_SIGNALS: list[tuple[str, str, str]] = [
    ("appeal", '{"text": "x", "by": "authority", "answer_by": "9999-12-31T23:59:59Z"}', "date.absurd"),
    ("appeal", '{"text": "x", "by": "nobody"}', "command.malformed"),
    ("escalate", '{"institution": "a", "reasons": "x", "estimate": "0001-01-01"}', "estimate.absurd"),
    ("notice_bounced", '{"notice": "RX-1/final/1", "at": "2026-01-01T00:00:00Z"}', "notice.unknown"),
    ("notice_delivered", '{"notices": [], "at": "2026-01-01T00:00:00Z"}', "command.malformed"),
    ("notice_delivered", '{"notices": ["../../x\\n"], "at": "2026-01-01T00:00:00Z"}', "command.malformed"),
    (
        "receive_message",
        '{"message": "ms_1", "at": "2026-01-01T00:00:00Z", "addresses": [{"id": "ad_theirs", "channel": "email"}]}',
        "message.addresses",
    ),
]
