import subprocess
import sys

from jackfield.link import PortInfo, list_ports


def test_ports_are_sorted_and_print_themselves() -> None:
    assert list(list_ports()) == sorted(list_ports(), key=lambda port: port.path)
    assert str(PortInfo("/dev/ttyUSB0", "FT232R", "A50285BI")) == "/dev/ttyUSB0 (FT232R, A50285BI)"
    assert str(PortInfo("COM3", "", "")) == "COM3"


def test_neither_torch_nor_pyvisa_comes_with_the_link_and_the_drivers() -> None:
    code = "import sys, jackfield.link, jackfield.device; print({'torch', 'pyvisa'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
