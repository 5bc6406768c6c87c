import io
import json

from jackfield.link import RecordingTransport
from jackfield.testing import ExpectedTransport


def test_everything_that_passes_is_written_down() -> None:
    sink = io.StringIO()
    with RecordingTransport(ExpectedTransport([(b"\1\2", b"\3"), (b"\4", None)]), sink) as line:
        line.write(b"\1\2")
        assert line.read(0) == b"\3"
        assert line.read(0) == b""
        line.write(b"\4")
        assert (line.name, line.byte_s) == ("expected exchange", 0)
    notes = [json.loads(text) for text in sink.getvalue().splitlines()]
    assert [{k: v for k, v in note.items() if k != "t"} for note in notes] == [
        {"sent": "0102"},
        {"received": "03"},
        {"sent": "04"},
    ]
    assert all(note["t"] >= 0 for note in notes)
