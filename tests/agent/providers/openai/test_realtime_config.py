from opensip.agent.definition import Account, Agent, Entry
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.realtime_config import session
from opensip.agent.providers.openai.realtime_sound import RATES


def made(**account):
    agent = Agent("test", directory={"human": Entry("sip:desk@example.com")})
    return session(Brief(agent, "main", Account(**account)), "You are Ada.")


def test_asks_for_g711_a_voice_and_the_tools():
    wanted = made(realtime_format="pcma", voice="ada", recognizer_model="ears")
    assert wanted["instructions"] == "You are Ada."
    assert wanted["audio"] == {
        "input": {
            "format": {"type": "audio/pcma"},
            "turn_detection": {"type": "server_vad"},
            "transcription": {"model": "ears"},
        },
        "output": {"format": {"type": "audio/pcma"}, "voice": "ada"},
    }
    assert wanted["tools"][0]["name"] == "transfer"
    assert all(tool["type"] == "function" for tool in wanted["tools"])


def test_pcm_has_a_rate_and_options_have_the_last_word():
    wanted = made(realtime_format="pcm", options={"max_output_tokens": 9})
    assert wanted["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": RATES["pcm"]}
    assert "voice" not in wanted["audio"]["output"]
    assert wanted["max_output_tokens"] == 9
