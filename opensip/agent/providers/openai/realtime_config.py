"""The session that a call wants of a speech-to-speech model."""

from typing import Any

from opensip.agent.definition import Agent
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.realtime_sound import described
from opensip.agent.toolbox import tools_of


def session(brief: Brief, instructions: str) -> dict[str, Any]:
    """Write the session that a call wants; `options` of the account have the last word."""
    account = brief.account
    form = described(account.realtime_format)
    heard: dict[str, Any] = {"format": form, "turn_detection": {"type": "server_vad"}}
    if account.recognizer_model:
        heard["transcription"] = {"model": account.recognizer_model}
    said = {"format": form} | ({"voice": account.voice} if account.voice else {})
    return {
        "type": "realtime",
        "instructions": instructions,
        "output_modalities": ["audio"],
        "audio": {"input": heard, "output": said},
        "tools": _tools(brief.agent),
        **account.options,
    }


def _tools(agent: Agent) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
        }
        for tool in tools_of(agent)
    ]
