"""What of a message nobody may read who reads a journal."""

import re

_LWS = r"(?:[ \t]|\r?\n[ \t])"
_CREDENTIALS = re.compile(
    r"(\bresponse\s*+=\s*+\"?+)[^\",\s]+"  # of Digest
    rf"|((?:^|\n)(?:proxy-)?authorization{_LWS}*:{_LWS}*(?!digest\b)\S++{_LWS}+)"
    r"(?:[^\r\n]|\r?\n[ \t])+",  # of Basic, Bearer
    re.I,
)
_CRYPTO = re.compile(r"a=crypto:[^\r\n]*")


def masked(message_text: str) -> str:
    """Put "***" for what opens a door: digest responses, other credentials, SDES keys."""
    # Most messages have neither, and a plain search costs a fiftieth of the patterns.
    if "authorization" in message_text.lower():
        message_text = _CREDENTIALS.sub(lambda m: (m[1] or m[2]) + "***", message_text)
    if "a=crypto:" in message_text:
        message_text = _CRYPTO.sub(lambda m: re.sub("(?<=inline:).+", "***", m[0]), message_text)
    return message_text
