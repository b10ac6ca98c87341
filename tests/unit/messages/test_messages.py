"""What crosses a boundary: exact round trips, and nothing malformed gets in."""

import json
import struct

import numpy as np
import pytest

from fl_plugin.errors import MessageError
from fl_plugin.messages import MAGIC, Ask, Refusal, Reply, decode, encode

ASK = Ask(
    kind="step",
    run="r-1",
    round=3,
    party="north",
    body={"rows": [1, 2]},
    arrays={"points": np.arange(6.0).reshape(2, 3), "n": np.array([7], np.uint64)},
)


def with_header(change):
    data = encode(ASK)
    (size,) = struct.unpack_from("<I", data, 4)
    header = json.loads(data[8 : 8 + size])
    change(header)
    raw = json.dumps(header).encode()
    return MAGIC + struct.pack("<I", len(raw)) + raw + data[8 + size :]


@pytest.mark.parametrize("kind", [Ask, Reply, Refusal])
def test_a_message_comes_back_as_it_was(kind):
    sent = kind(
        kind="k", run="r", round=0, party="p", arrays=ASK.arrays, body={"a": None}
    )
    got = decode(encode(sent))
    assert type(got) is kind
    assert (got.kind, got.run, got.round, got.party) == ("k", "r", 0, "p")
    assert got.body == {"a": None}
    for name, array in ASK.arrays.items():
        np.testing.assert_array_equal(got.arrays[name], array)
        assert got.arrays[name].dtype == array.dtype


def test_equal_messages_give_equal_bytes():
    assert encode(ASK) == encode(decode(encode(ASK)))


def test_every_cut_is_refused():
    data = encode(ASK)
    for end in range(len(data)):
        with pytest.raises(MessageError):
            decode(data[:end])


def test_bytes_beyond_the_arrays_are_refused():
    with pytest.raises(MessageError):
        decode(encode(ASK) + b"\x00")


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.update(type="pickle"),
        lambda h: h.update(kind="../x"),
        lambda h: h.update(run=7),
        lambda h: h.update(party=""),
        lambda h: h.update(round=-1),
        lambda h: h.update(round=True),
        lambda h: h.update(body=[]),
        lambda h: h.update(arrays={}),
        lambda h: h.update(arrays=[["points", "<f8"]]),
        lambda h: h["arrays"][0].__setitem__(1, "|O"),
        lambda h: h["arrays"][0].__setitem__(2, [2**40]),
        lambda h: h["arrays"][0].__setitem__(2, [-1]),
        lambda h: h["arrays"][0].__setitem__(2, [1, 1, 1, 1, 1]),
        lambda h: h["arrays"].append(h["arrays"][0]),
        lambda h: h["arrays"][0].__setitem__(0, "a b"),
    ],
)
def test_a_header_that_says_something_else_is_refused(change):
    with pytest.raises(MessageError):
        decode(with_header(change))


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a": NaN}', b"\xff", b"null"])
def test_a_hostile_header_is_refused(raw):
    with pytest.raises(MessageError):
        decode(MAGIC + struct.pack("<I", len(raw)) + raw)


def test_objects_cannot_be_sent():
    with pytest.raises(MessageError):
        encode(Ask(kind="k", run="r", round=0, party="p", arrays={"x": np.array([{}])}))


def test_a_value_that_json_has_not_got_cannot_be_sent():
    with pytest.raises(ValueError, match="JSON"):
        encode(Ask(kind="k", run="r", round=0, party="p", body={"x": float("nan")}))
