from pathlib import Path

import pytest

from opensip.errors import ConfigError
from opensip.settings.agents import load_agent
from opensip.settings.table import Mistakes

CONFIG = """
agent_files = ["agents/*.toml"]
realm = "this key is wrong, and no business of an agent"
[directory]
human = "sip:desk@192.0.2.1"
[providers.main]
api_key = "env:KEY"
dialogue_model = "m"
"""
AGENT = """
kind = "model"
persona = "You are Ada."
dialogue = ["main"]
recognizer = ["scripted"]
synthesizer = ["scripted"]
[directory.human]
uri = "sip:other@192.0.2.9"
[tools.find]
file = "tools.py"
"""
ENVIRON = {"KEY": "sk-1"}


@pytest.fixture
def config(tmp_path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/shop.toml").write_text(AGENT)
    (tmp_path / "agents/tools.py").write_text("def find(): ...")
    (tmp_path / "opensip.toml").write_text(CONFIG)
    return tmp_path / "opensip.toml"


def test_an_agent_is_found_by_name_with_what_the_server_has_for_it(config):
    agent, path = load_agent("shop", config, environ=ENVIRON)
    assert path == config.parent / "agents/shop.toml"
    assert agent.directory["human"].uri == "sip:desk@192.0.2.1"
    assert agent.providers["main"].api_key == "sk-1"
    assert agent.tools["find"].file == config.parent / "agents/tools.py"


def test_an_agent_is_found_by_its_file(config):
    agent, _ = load_agent(str(config.parent / "agents/shop.toml"), config, environ=ENVIRON)
    assert agent.name == "shop"
    nowhere = Path("/nonexistent.toml")
    with pytest.raises(Mistakes, match=r"dialogue: no provider 'main'"):
        load_agent(str(config.parent / "agents/shop.toml"), nowhere, environ=ENVIRON)


def test_an_entry_of_the_servers_file_is_told_of_that(config):
    config.write_text(CONFIG.replace("sip:desk@192.0.2.1", "desk at somewhere"))
    with pytest.raises(Mistakes) as caught:
        load_agent("shop", config, environ=ENVIRON)
    [told] = caught.value.lines
    assert told.startswith(f"{config}: directory.human: 'desk at somewhere' is no sip:")


def test_mistakes_are_told_and_the_nearest_name(config):
    with pytest.raises(ConfigError, match=r"no agent 'shap' in .*; did you mean 'shop'"):
        load_agent("shap", config, environ=ENVIRON)
    with pytest.raises(Mistakes, match="the environment variable KEY is not set"):
        load_agent("shop", config, environ={})
    with pytest.raises(Mistakes, match="there is no file"):
        load_agent("missing.toml", config, environ=ENVIRON)
    (config.parent / "agents/tools.py").unlink()
    with pytest.raises(
        Mistakes, match=r"shop\.toml: tools\.find\.file: there is no file .*tools\.py"
    ):
        load_agent("shop", config, environ=ENVIRON)


WRONG = """
kind = "modell"
persona = 5
dialog = ["main"]
dialogue = ["nobody"]
synthesizer = ["embedded"]
recognizer = "main"
voice = "bob"
patience = 9
human = "boss"
[replies]
hello = "Hi."
[directory.front]
uri = "nowhere"
[directory]
back = "sip:back@example.com"
[tools.find]
file = "nowhere.py"
[tools.look]
file = "broken.py"
[tools.web]
url = "ftp://example.com"
description = "Looks."
[tools.seen]
file = "tools.py"
function = "lost"
"""


def test_every_mistake_of_an_agent_is_told_at_once(config):
    folder = config.parent / "agents"
    (folder / "shop.toml").write_text(WRONG.replace("[directory]\nback", "[directory.back]\nback"))
    (folder / "broken.py").write_text("def look(:")
    with pytest.raises(Mistakes) as caught:
        load_agent("shop", config, environ=ENVIRON)
    told = [line.partition(".toml: ")[2] for line in caught.value.lines]
    places = sorted(line.partition(": ")[0] for line in told)
    assert places == [
        "dialog", "dialogue", "directory.back.back", "directory.back.uri", "directory.front.uri",
        "human", "kind", "patience", "persona",
        "providers.main.recognizer_model", "recognizer", "replies", "tools.find.file",
        "tools.look.file", "tools.seen.file", "tools.web.url", "voice",
    ], told  # fmt: skip


def test_what_follows_from_a_mistake_is_none(config):
    agent = config.parent / "agents/shop.toml"
    agent.write_text(AGENT.replace("dialogue = ", "dialoge = ").replace("uri =", "url ="))
    with pytest.raises(Mistakes) as caught:
        load_agent("shop", config, environ=ENVIRON)
    told = [line.partition(".toml: ")[2].partition(": ")[0] for line in caught.value.lines]
    assert sorted(told) == ["dialoge", "directory.human.uri", "directory.human.url"]


def test_a_reply_is_sent_where_it_belongs(config):
    agent = config.parent / "agents/shop.toml"
    agent.write_text('apology = "Sorry."\n' + AGENT)
    with pytest.raises(Mistakes, match=r"shop\.toml: apology: unknown key; it belongs in \[repl"):
        load_agent("shop", config, environ=ENVIRON)


def test_what_is_there_without_a_file_and_what_is_not_there_at_all(config):
    with pytest.raises(ConfigError, match="agent 'echo' is there without a file"):
        load_agent("echo", config, environ=ENVIRON)
    with pytest.raises(ConfigError, match=r"there is no file .*: name it .*--config"):
        load_agent("shop", config.parent / "nowhere.toml", environ=ENVIRON)
