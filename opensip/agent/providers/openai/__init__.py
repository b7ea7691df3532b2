"""OpenAI, and every server that speaks as it does: recogniser, dialogue and voice over HTTP.

Which models are asked stands in the account (`[providers.NAME]`), never here.
"""
