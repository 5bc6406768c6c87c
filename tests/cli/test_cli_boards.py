"""`jackfield boards`."""

from pathlib import Path

from jackfield_boards import spec_folder

from .conftest import Jackfield


def test_list_names_the_reference_boards(jackfield: Jackfield) -> None:
    listed = jackfield("boards", "list", "--json").values["boards"]
    assert {"jf16", "jf96"} <= {board["name"] for board in listed}
    assert "jf96" in jackfield("boards", "list").out


def test_show_tells_ranges_with_units(jackfield: Jackfield) -> None:
    shown = jackfield("boards", "show", "jf96")
    assert "-75 uS to 75 uS, 8 bits, bipolar" in shown.out
    assert jackfield("boards", "show", "jf96", "--json").values["image_bytes"] == 63680


def test_check_accepts_a_path_and_names_findings(jackfield: Jackfield, tmp_path: Path) -> None:
    text = (spec_folder() / "jf96.toml").read_text()
    (tmp_path / "jf96.toml").write_text(text.replace("range_S = [-75e-6, 75e-6]", "range_S = [-0.05, 0.05]"))
    checked = jackfield("boards", "check", tmp_path / "jf96.toml", "--json")
    assert checked.status == 0
    assert any("gain" in finding["where"] for finding in checked.values["findings"])
    assert jackfield("boards", "check", "jf96").out.endswith("finding\n") or "findings" in checked.out


def test_an_unknown_board_lists_those_that_exist(jackfield: Jackfield) -> None:
    ran = jackfield("boards", "show", "jf17")
    assert ran.status == 1
    assert "jf16" in ran.err


def test_header_writes_the_constants_for_the_firmware(jackfield: Jackfield, tmp_path: Path) -> None:
    done = jackfield("boards", "header", "jf16", "-o", tmp_path / "board.h", "--json")
    assert done.values["board"] == "jf16"
    text = (tmp_path / "board.h").read_text()
    assert "#define JF_IMAGE_BYTES 380u" in text
    assert "{12, 1, 4095, NULL}," in text
    assert [path.name for path in tmp_path.iterdir()] == ["board.h"]
