from opensip.agent.chat import tool_specs
from opensip.agent.definition import Agent
from opensip.agent.tools.builtin import built_in


def test_tools_are_written_as_functions():
    [hang_up, *_] = tool_specs(built_in(Agent("test")))
    assert hang_up["type"] == "function"
    assert hang_up["function"]["name"] == "hang_up"
    assert hang_up["function"]["parameters"]["required"] == ["reason"]
