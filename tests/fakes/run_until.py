"""Virtual time for one machine."""


def run_until(machine, end):
    """Fire every timer up to `end`, and return what was sent when, as (time, message)."""
    sent = []
    while (at := machine.get_timer()) is not None and at <= end:
        machine.handle_timer(now=at)
        sent += [(at, m) for m in machine.messages_to_send()]
    return sent


def events_of(machine):
    """Take all events."""
    events = []
    while (event := machine.next_event()) is not None:
        events.append(event)
    return events
