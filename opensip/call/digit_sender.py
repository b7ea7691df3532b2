"""Digits on their way to the peer of a leg: telephone events, INFO, or tones."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from opensip.carriers.trunk import DtmfWay
from opensip.errors import MediaError
from opensip.rtp.telephone_event import DIGITS
from opensip.sip.dtmf_relay import PLAIN, RELAY, write_digit

INFO_MS = 160  # what an INFO says that a digit lasts

_INFO_FORMS = {"info-relay": RELAY, "info": PLAIN}


class Media(Protocol):
    """What takes digits of a leg's media."""

    @property
    def takes_events(self) -> bool:
        """Whether the peer agreed to telephone events."""

    async def send_digits(self, digits: str) -> None:
        """Send telephone events."""

    async def send_tones(self, digits: str) -> None:
        """Send tones as sound."""


async def send_digits(
    digits: str,
    way: DtmfWay,
    *,
    media: Media,
    info: Callable[[str, bytes], Awaitable[int]],
) -> None:
    """Send digits one after the other, and wait until the last has left, or was answered.

    "auto" sends events where the peer agreed to them, else tones. Raises MediaError where the
    peer takes no events or refuses an INFO, or something is no key.
    """
    if wrong := set(digits.upper()) - set(DIGITS):
        raise MediaError(f"{''.join(sorted(wrong))!r} is on no telephone's keys: use {DIGITS}")
    if way in _INFO_FORMS:
        await _send_infos(digits, _INFO_FORMS[way], info)
    elif way == "inband" or (way == "auto" and not media.takes_events):
        await media.send_tones(digits)
    else:
        await media.send_digits(digits)


async def _send_infos(digits: str, form: str, info: Callable[[str, bytes], Awaitable[int]]) -> None:
    for digit in digits.upper():
        status = await info(form, write_digit(form, digit, INFO_MS))
        if status >= 300:
            raise MediaError(f"the peer refused a digit by INFO with {status}: set dtmf otherwise")
