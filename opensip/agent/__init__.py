"""The conversation: who speaks when, what was heard, what is done."""
