"""Settings that hold for every test."""

import pytest
from hypothesis import settings

from opensip.agent import voice_activity

# No deadline: on a busy machine one example may take long, and that is no fault of the code.
settings.register_profile("opensip", deadline=None)
settings.load_profile("opensip")


@pytest.fixture(autouse=True)
def energy_decides(monkeypatch):
    """Tests speak in tones, and in virtual time: that is voice by energy."""
    monkeypatch.setattr(voice_activity, "AUTO", ("energy",))
