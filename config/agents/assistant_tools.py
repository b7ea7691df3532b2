"""Tools of the example agent `assistant`: an imaginary shop's orders."""

ORDERS = {
    "4217": {"item": "one brass table lamp", "status": "shipped", "arrives": "2026-11-24"},
    "1038": {"item": "two garden lanterns", "status": "being packed"},
}


def find_order(number: str) -> dict[str, str] | str:
    """Find an order by its number and tell how it stands.

    Args:
        number: the four digits of the order
    """
    return ORDERS.get(number, f"there is no order {number}")


def cancel_order(number: str, call: dict[str, str]) -> str:
    """Cancel an order that was not shipped yet.

    Args:
        number: the four digits of the order
    """
    if ORDERS.get(number, {}).get("status") != "being packed":
        return f"order {number} cannot be cancelled any more, or is not there"
    return f"order {number} is cancelled, asked for by {call.get('caller', 'an unknown caller')}"
