import pytest

from opensip.agent.tools.table import look_up
from opensip.errors import ToolError
from tests.fakes.shop import shop


def test_rows_are_found_by_key():
    assert look_up(shop(), "orders", "4217")["item"] == "one brass table lamp"
    assert look_up(shop(), "orders", "0000") is None


def test_an_unknown_table_is_an_error_that_names_the_known():
    with pytest.raises(ToolError, match="no data table 'prices'; known are orders"):
        look_up(shop(), "prices", "1")
