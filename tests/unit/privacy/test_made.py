"""What libraries draw by themselves is made once and given back when work is redone."""

from functools import partial

import pytest

from fl_plugin.errors import MessageError
from fl_plugin.privacy.made import Made


def never():
    raise AssertionError("a library draws again")


def test_what_was_made_comes_back_in_its_order_and_nothing_is_made_again():
    first, again = Made(), Made()
    made = [(b"key", b""), (), (bytes(70_000),)]
    for pieces in made:
        assert first.once(partial(tuple, pieces)) == pieces
    taken = first.take()
    assert first.take() == b""
    with again.recalling(taken):
        assert [again.once(never) for _ in made] == made
    assert again.once(lambda: (b"new",)) == (b"new",)
    assert again.take() != b""


def test_work_that_makes_less_or_more_than_before_is_not_the_same():
    first, again = Made(), Made()
    first.once(lambda: (b"one",))
    taken = first.take()
    with pytest.raises(MessageError, match="does not do"), again.recalling(taken):
        pass
    with pytest.raises(MessageError, match="does not do"), again.recalling(b""):
        again.once(never)
