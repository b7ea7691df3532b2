import asyncio
import signal
import threading

import pytest
from click.testing import CliRunner

from opensip.cli import main
from tests.fakes.openai_server import Ask, OpenAiServer

CONFIG = """
[providers.main]
base_url = "{base_url}"
recognizer_model = "r"
dialogue_model = "d"
synthesizer_model = "s"
voice = "ada"
"""
AGENT = """
kind = "model"
persona = "You are Ada. {caller} calls."
greeting = "Hello."
recognizer = ["main"]
dialogue = ["main"]
synthesizer = ["main"]
[directory.human]
uri = "sip:desk@192.0.2.9"
[tools.find_order]
url = "http://127.0.0.1:9/"
description = "Finds an order."
parameters = {{ number = "four digits" }}
confirm = true
"""


def brain(messages, tools):
    if "person" in messages[-1]["content"]:
        return [Ask("transfer", {"entry": "human", "intent": "help", "summary": "Lost."})]
    return [f"You said: {messages[-1]['content']}"]


@pytest.fixture
def server():
    """A server in a thread of its own: a command runs a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = OpenAiServer(brain)
    asyncio.run_coroutine_threadsafe(made.__aenter__(), loop).result(5)
    yield made
    asyncio.run_coroutine_threadsafe(made.__aexit__(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def agent(tmp_path, server):
    def run(*arguments, text=""):
        (tmp_path / "opensip.toml").write_text(CONFIG.format(base_url=server.base_url))
        (tmp_path / "agents").mkdir(exist_ok=True)
        (tmp_path / "agents/ada.toml").write_text(AGENT.replace("{{", "{").replace("}}", "}"))
        more = ("--config", str(tmp_path / "opensip.toml"))
        return CliRunner().invoke(main, ["agent", *arguments, *more], input=text)

    return run


def test_check_tells_what_an_agent_is_made_of(agent):
    result = agent("check", "ada")
    assert result.exit_code == 0
    assert "ada.toml: good" in result.stdout
    assert "dialogue     main (d at http://127.0.0.1" in result.stdout
    assert "tool         find_order(number)  after a yes of the caller" in result.stdout
    assert "directory    human: sip:desk@192.0.2.9" in result.stdout


def test_check_live_asks_every_provider(agent, server):
    result = agent("check", "ada", "--live")
    assert result.exit_code == 0
    assert "recognizer   main" in result.stdout
    assert "'hello'" in result.stdout
    server.faults["speech"] = [server_fault()]
    failed = agent("check", "ada", "--live")
    assert failed.exit_code == 1
    assert "FAILED: main: refused our key (401)" in failed.stdout


def server_fault():
    from tests.fakes.openai_server import Fault

    return Fault(status=401)


def test_check_names_mistakes(agent):
    result = agent("check", "bob")
    assert result.exit_code == 1
    assert "no agent 'bob' in" in result.stderr


def test_chat_by_text_until_the_agent_hands_over(agent, server):
    result = agent("chat", "ada", "--var", "caller=+1919", text="How are you?\n\nA person!\nMore\n")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "agent: Hello."
    assert lines[1] == "agent: You said: How are you?"
    assert lines[-1] == "  [transfers: human; help; Lost.]"
    assert "+1919 calls." in server.asked("completions")[0]["messages"][0]["content"]


def test_chat_ends_by_ctrl_c_though_nothing_is_typed(agent, monkeypatch):
    async def nothing():
        signal.raise_signal(signal.SIGINT)
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr("opensip.cli.agent.next_line", nothing)
    result = agent("chat", "ada")
    assert (result.exit_code, result.stdout) == (0, "agent: Hello.\n")


def test_chat_quietly_until_the_end_of_input(agent):
    result = agent("chat", "ada", "--quiet", text="Hi!\n")
    assert result.stdout.splitlines() == ["agent: Hello.", "agent: You said: Hi!"]
    wrong = agent("chat", "ada", "--var", "caller")
    assert wrong.exit_code == 2
    assert "'caller' is no NAME=VALUE" in wrong.stderr


def test_chat_ends_with_1_where_no_provider_had_an_answer(agent, server):
    server.faults["completions"] = [server_fault()]
    result = agent("chat", "ada", text="Hi!\nMore\n")
    assert result.exit_code == 1
    assert "  [failed: main: refused our key (401)" in result.stdout


def test_chat_is_as_the_number_called_has_it(tmp_path):
    config, file = tmp_path / "opensip.toml", tmp_path / "shop.toml"
    config.write_text("")
    file.write_text(
        'greeting = "Hello."\n[numbers."+15553334444"]\ngreeting = "Night desk."\n'
        '[directory.human]\nuri = "sip:desk@127.0.0.1"\n[states.main]\nask = "What is it?"\n'
        'intents = ["hours"]\nhelp = "Ask."\n[intents.hours]\nphrases = ["hours"]\n'
        'action = { say = "Nine to six." }\n'
    )
    for called, greeting in (("+15553334444", "Night desk."), ("+15550000000", "Hello.")):
        arguments = [
            "agent",
            "chat",
            str(file),
            "--config",
            str(config),
            "--var",
            f"called={called}",
        ]
        result = CliRunner().invoke(main, arguments, input="")
        assert result.stdout.startswith(f"agent: {greeting}"), result.output


def test_an_agent_without_words_cannot_chat(agent, tmp_path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/beep.toml").write_text('kind = "tone"\n')
    result = agent("chat", "beep")
    assert result.exit_code == 1
    assert "agent 'beep' is of kind 'tone' and has no words" in result.stderr
    assert agent("check", "beep").stdout.splitlines()[1:] == ["  kind         tone"]


def test_check_tells_where_a_bot_is_and_which_tools_a_model_has(tmp_path):
    config = tmp_path / "opensip.toml"
    config.write_text("")
    both = {
        "bot": 'kind = "stream"\nrealtime = ["bot"]\n[providers.bot]\nprovider = "stream"\n'
        'base_url = "ws://127.0.0.1:9/media"\n',
        "voice": 'kind = "realtime"\nrealtime = ["it"]\npersona = "You are Ada."\n[providers.it]\n'
        'provider = "openai_realtime"\nrealtime_model = "m"\nbase_url = "http://127.0.0.1:9/v1"\n',
    }
    told = {}
    for name, text in both.items():
        (tmp_path / f"{name}.toml").write_text(text)
        arguments = ["agent", "check", str(tmp_path / f"{name}.toml"), "--config", str(config)]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        told[name] = result.output
    assert "realtime     bot (at ws://127.0.0.1:9/media)" in told["bot"]
    assert "tool" not in told["bot"]
    assert "realtime     it (m at http://127.0.0.1:9/v1)" in told["voice"]
    assert "tool         hang_up(reason)" in told["voice"]
