from opensip.agent.definition import REPLIES, Account, Agent, ToolTable, with_digits


def test_a_standing_reply_is_the_files_or_ours():
    agent = Agent("test", replies={"goodbye": "So long."})
    assert agent.reply("goodbye") == "So long."
    assert agent.reply("apology") == REPLIES["apology"]


def test_digits_stand_in_phrases_as_the_grammar_has_them():
    assert with_digits("my number is {digits}", 4) == "my number is <digits:4>"


def test_what_is_secret_shows_nowhere():
    assert "sk-1" not in repr(Account(api_key="sk-1"))
    assert "sk-1" not in repr(ToolTable(bearer="sk-1", secret="sk-1"))
