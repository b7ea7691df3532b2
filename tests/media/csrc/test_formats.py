import re

import pytest

from tests.fakes.native_build import ROOT

SOURCES = sorted((ROOT / "opensip/media/csrc").glob("*.c"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_format_needs_what_python_3_13_no_longer_has(source):
    """Compiled with its headers, a format with '#' fails on every older Python."""
    calls = re.findall(r"Py(?:_BuildValue|Arg_Parse\w+)\s*\([^;]*?\"([^\"]*)\"", source.read_text())
    assert not [given for given in calls if "#" in given]
