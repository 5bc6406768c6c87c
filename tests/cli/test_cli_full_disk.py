"""A disk that takes no more: a clear message, and nothing half-written."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jackfield.model import Accuracy, TrainingResult

from .conftest import Jackfield

resource = pytest.importorskip("resource", reason="limits of POSIX stand in for a full disk")

Full = Callable[[int | None], None]


@pytest.fixture
def full() -> Iterator[Full]:
    """Let no file grow beyond so many bytes (None: as before): writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _trained(*values: object, **options: object) -> TrainingResult:
    some = Accuracy(0, 1)
    return TrainingResult((), some, some, some, 1.0)


@pytest.mark.parametrize(
    "words",
    [
        "compile {model} --board jf96 -o {new}.jfi",
        "train digits --board jf96 --epochs 1 -o {new}.model",
        "run {image} --input {sheet} --output {new}.csv --bench {bench}",
        "calibrate --level nodes -o {new}.record --runs {new}.runs --bench {bench}",
        "spice {image} -o {new}.cir",
        "run {image} --input {sheet} --output {new}.csv --bench {bench} --runs {new}.runs --log-exchange",
    ],
)
def test_full_disk(
    jackfield: Jackfield,
    full: Full,
    bench: Path,
    model: Path,
    image: Path,
    sheet: Path,
    tmp_path: Path,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jackfield.model.train", _trained)
    before = set(tmp_path.iterdir())
    line = words.format(bench=bench, model=model, image=image, sheet=sheet, new=tmp_path / "new").split()
    full(512)
    ran = jackfield(*line)
    full(None)
    assert ran.status == 1
    assert "Traceback" not in ran.err
    assert ran.err.startswith("error: ")
    assert "disk" in ran.err
    left = set(tmp_path.iterdir()) - before
    assert {path.name for path in left} <= {"new.runs"}
    if "{bench}" in words:
        assert jackfield("poke", "hello", "--bench", bench, "--json").values["status"]["state"] == "safe"
