"""A bench that is wired as its file says, and benches that are not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jackfield.bench import VisaSession
from jackfield.bench import bench as bench_file
from jackfield.errors import InstrumentError
from jackfield.session import (
    EmulatorUrl,
    RunningEmulator,
    check_wiring,
    discover,
    draft_bench,
    open_bench,
    running_emulator,
)

Check = Callable[..., dict[str, tuple[bool, str]]]
URL = "emulator://jf16?profile=modules&seed=3&scope=tektronix-mdo3000&extra=scanner&extra=smu"


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator(URL) as running:
        yield running


@pytest.fixture
def wired(emulator: RunningEmulator, tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Findings (ok, what was seen and what to do) by name, of the bench file after some replacements."""

    def check(*changes: tuple[str, str]) -> dict[str, tuple[bool, str]]:
        text = emulator.bench_toml
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path_factory.mktemp("wiring") / "bench.toml"
        path.write_text(text)
        told = []
        with open_bench(path) as bench:
            findings = check_wiring(bench, told.append)
        assert told == findings
        return {finding.name: (finding.ok, f"{finding.seen}; {finding.cure}") for finding in findings}

    return check


def test_as_the_file_says(wired: Check) -> None:
    findings = wired()
    assert all(ok for ok, _ in findings.values()), findings
    assert {"meter on reference", "scanner on probe 2", "trigger", "probe 1", "probe 2 on its channel"} <= set(findings)


def test_swapped_probes_are_told_by_their_nodes(wired: Check) -> None:
    findings = wired(("board_probe = 1", "board_probe = 9"), ("board_probe = 2", "board_probe = 1"), ("= 9", "= 2"))
    assert findings["probe 1"][0]
    ok, text = findings["probe 1 on its channel"]
    assert not ok
    assert "that is what probe 2 shows: their cables are swapped" in text


def test_a_probe_on_an_empty_channel(wired: Check) -> None:
    ok, text = wired(("channel = 2\n", "channel = 3\n"))["trigger and probes"]
    assert not ok
    assert "probe 2 shows no step from ground to the reference" in text


def test_no_trigger(wired: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_file, "TRIGGER_PATIENCE_S", 0.2)
    ok, text = wired(('source = "EXT"', 'source = "CH3"'))["trigger and probes"]
    assert not ok
    assert "saw no trigger" in text
    assert "check the cable from the trigger jack to CH3" in text


def test_a_scanner_on_other_jacks(wired: Check) -> None:
    swap = ('"reference"\n\n[[instruments.scanner', '"probe 7"\n\n[[instruments.scanner'), ('"probe 1"', '"reference"')
    findings = wired(*swap)
    assert not findings["scanner on reference"][0]
    assert "put it on the board's reference jack" in findings["scanner on reference"][1]
    assert not findings["scanner on probe 7"][0]


def test_what_is_found_makes_a_bench_that_works(emulator: RunningEmulator, tmp_path: Path) -> None:
    resources = [doors["hislip"] for doors in emulator.doors.values()]
    nowhere = "TCPIP::127.0.0.1::1::SOCKET"
    found = discover([emulator.board_url, "socket://127.0.0.1:1"], [*resources, nowhere], "@py")
    assert [board.board_id for board in found.boards] == [emulator.board_id]
    assert [where for where, _ in found.silent] == ["socket://127.0.0.1:1", nowhere]
    draft = draft_bench(found, "@py")
    assert "the board's trigger jack is on EXT" in draft.assumed
    assert "# limit_A = ..." in draft.text
    path = tmp_path / "bench.toml"
    path.write_text(draft.text)
    with open_bench(path) as bench:
        assert bench.sources == ()
        assert all(finding.ok for finding in check_wiring(bench, lambda finding: None))


def test_a_lucidac_is_found_and_its_bench_opens(tmp_path: Path) -> None:
    with running_emulator("emulator://lucidac-2024?profile=ideal&seed=2") as running:
        found = discover([running.board_url], ["TCPIP::127.0.0.1::1::SOCKET"], "@py")
        assert [(board.board_id, board.spec) for board in found.boards] == [(running.board_id, "lucidac-2024")]
        path = tmp_path / "bench.toml"
        path.write_text(draft_bench(found, "@py").text)
        with open_bench(path) as bench:
            assert bench.board.hello.board_id == running.board_id


def test_options_of_the_url() -> None:
    assert EmulatorUrl.parse(URL).arguments[-7:-1] == (
        "--scope", "tektronix-mdo3000", "--extra", "scanner", "--extra", "smu",
    )  # fmt: skip


def test_sources_are_off_however_it_ends(emulator: RunningEmulator, tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(emulator.bench_toml)

    def output() -> str:
        session = VisaSession(emulator.doors["smu"]["socket"])
        try:
            return session.query(":OUTPut?")
        finally:
            session.close()

    def drive_and_end(end: type[BaseException]) -> None:
        with open_bench(path) as bench:
            bench.sources[0].drive(0.5)
            assert output() == "1"
            raise end

    for end in (KeyboardInterrupt, ZeroDivisionError, InstrumentError):
        with pytest.raises(end):
            drive_and_end(end)
        assert output() == "0"
    with open_bench(path) as bench:
        bench.sources[0].drive(0.5)
        with pytest.raises(InstrumentError, match="limited to 1 V"):
            bench.sources[0].drive(1.5)
    assert output() == "0"
