"""How a call sounds, as far as packets tell: the E-model of ITU-T G.107 in short form.

Of its terms those are kept that a packet network changes: the delay and what losses do to the
codec. Noise, echo and loudness stand at their defaults, which leaves R = 93.2 - Id - Ie,eff.
"""

BEST = 93.2  # R of G.711 without loss or delay, G.107 table 3
ROBUSTNESS = 25.1  # Bpl of G.711 whose losses are concealed, G.113 appendix I; its Ie is 0
TOLERABLE = 177.3  # milliseconds of delay from which on people talk into each other
PACKET = 20.0  # milliseconds that a packet takes to be spoken


def rating(loss: float, delay_ms: float) -> float:
    """Rate one direction by R, 0 to 93.2. `loss` is a share of 1, `delay_ms` from mouth to ear.

    Losses are taken to be random (BurstR 1). G.722 and Opus are rated as G.711 is: what is wide
    about them is on another scale.
    """
    percent = 100 * min(max(loss, 0.0), 1.0)
    delay = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - TOLERABLE)
    equipment = 95 * percent / (percent + ROBUSTNESS)
    return max(0.0, BEST - delay - equipment)


def opinion(rated: float) -> float:
    """Turn R into a mean opinion score, 1 (bad) to 4.5 (G.107 annex B)."""
    if rated <= 0:
        return 1.0
    rated = min(rated, 100.0)
    return max(1.0, 1 + 0.035 * rated + rated * (rated - 60) * (100 - rated) * 7e-6)


def delay_of(round_trip_ms: float, jitter_ms: float) -> float:
    """Estimate milliseconds from mouth to ear: half the way, a packet, and a buffer's depth."""
    return round_trip_ms / 2 + PACKET + 2 * jitter_ms
