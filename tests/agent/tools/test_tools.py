import pytest

from opensip.agent.tools import fitting, schema
from opensip.errors import ToolError

PARAMETERS = schema(
    {
        "number": {"type": "string"},
        "count": {"type": "integer"},
        "size": {"type": "string", "enum": ["s", "l"]},
        "gift": {"type": "boolean"},
    },
    ("number",),
)


def test_what_fits_is_taken_and_a_number_is_a_text_where_one_is_wanted():
    fitted = fitting("order", {"number": 4217, "count": 2, "size": "s"}, PARAMETERS)
    assert fitted == {"number": "4217", "count": 2, "size": "s"}


def test_every_misfit_is_told_at_once():
    wrong = {"count": "two", "size": "m", "gift": 1, "colour": "red"}
    with pytest.raises(ToolError) as caught:
        fitting("order", wrong, PARAMETERS)
    assert str(caught.value) == (
        "order: colour is not known; count is no integer: 'two'; gift is no boolean: 1; "
        "number is missing; size is 'm', not one of s, l"
    )
