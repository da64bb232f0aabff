"""The picture on the front page shows what people really see."""

import pathlib

import terminal

PICTURE = pathlib.Path(__file__).parent / "terminal.svg"


def test_the_picture_is_what_a_real_conversation_looks_like():
    assert terminal.picture() == PICTURE.read_text(), (
        "what people see has changed; look at it, then: tests/docs/terminal.py >tests/docs/terminal.svg")
