"""Makes plain words of what a model writes: no markdown, URL or emoji is ever read out. Pure."""

import re
import unicodedata

_NAMES = "com|org|net|io|edu|gov|info|dev|app|ai"  # that names of hosts end with
_PATH = r"(?:[^\s<>\"']*[^\s<>\"'.,;:!?)])?"
_RULES = (
    (re.compile(r"```.*?(?:```|\Z)", re.DOTALL), " "),  # code
    (re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL), " "),  # of models that think aloud
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"),  # pictures
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),  # links keep their words
    (re.compile(r"<(?:https?://|mailto:)[^>\s]*>"), " "),
    (re.compile(r"\(\s*(?:https?://|www\.)[^\s)]*\s*\)"), " "),
    (re.compile(r"(?:\bat |\bunder )?(?:https?://|\bwww\.)[^\s<>\"']*[^\s<>\"'.,;:!?)]"), " "),
    (re.compile(rf"(?:\bat |\bunder )?\b(?:[\w-]+\.)+(?:{_NAMES})/{_PATH}"), " "),  # no scheme
    (re.compile(r"</?[A-Za-z][^<>]*>"), " "),  # HTML
    (re.compile(r"^\s*(?:#{1,6}|>+)\s+", re.MULTILINE), ""),
    (re.compile(r"^\s*[-*+•‣]\s+(?=\S)", re.MULTILINE), ""),  # bullets
    (re.compile(r"^\s*\|?[\s:|-]*-{3,}[\s:|-]*$", re.MULTILINE), ""),  # rules, heads of tables
    (re.compile(r"^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), ", "),
    (re.compile(r"(?<=[^\s.,;:!?…])[ \t]*\n\s*(?=\S)"), ", "),  # a line is a breath
    (re.compile(r"\\[*_`~]"), ""),
    (re.compile(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])[*_](?=\S)([^*_\n]+?)(?<=\S)[*_](?![\w*])"), r"\1"),
    (re.compile(r"`+"), ""),
    (re.compile(r"\*{2,}|_{2,}|~{2,}|(?<!\S)[*#_~>]+(?!\S)"), " "),
    (re.compile(r"\\([\\{}\[\]()#+.!-])"), r"\1"),
)
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}  # of emoji
_SPOKEN_SYMBOLS = set("+=<>|~^$%°§©®€£¥¢¬±\u00d7÷µ")


def plain(text: str) -> str:
    """Give the words of a text as one line; "" where nothing of it can be said."""
    for pattern, by in _RULES:
        text = pattern.sub(by, text)
    text = "".join(" " if _is_picture(c) else c for c in text)
    text = " ".join(text.split())
    text = re.sub(r"\s+([,.;:!?…])", r"\1", text)
    return text if any(c.isalnum() for c in text) else ""


def writable(text: str) -> str:
    """Replace what no request can carry: halves of characters, which JSON may hold (RFC 8259)."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _is_picture(character: str) -> bool:
    """Tell whether a character is an emoji, a part of one, or cannot be said at all."""
    if character in _SPOKEN_SYMBOLS or character.isascii():
        return not character.isprintable() and not character.isspace()
    return character in _JOINERS or unicodedata.category(character) in (
        "So", "Sk", "Cf", "Co", "Cn", "Cs", "Cc",
    )  # fmt: skip
