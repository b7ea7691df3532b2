"""Settings that hold for every test."""

from hypothesis import settings

# No deadline: on a busy machine one example may take long, and that is no fault of the code.
settings.register_profile("opensip", deadline=None)
settings.load_profile("opensip")
