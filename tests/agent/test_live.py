from opensip.agent.live import Opening


def test_a_call_begins_with_nothing_said():
    assert Opening() == Opening((), "", "")
