import json

from opensip.cli.reporting import reporting


def test_lines_for_people(capsys):
    reporting(as_json=False)("called", intent="billing", summary="", transcript=["a: x", "b: y"])
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith("called            intent=billing")
    assert rest == ["          | a: x", "          | b: y"]


def test_objects_for_programs(capsys):
    reporting(as_json=True)("said", text="hello")
    told = json.loads(capsys.readouterr().out)
    assert (told["what"], told["text"]) == ("said", "hello")
    assert told["time"] > 0
