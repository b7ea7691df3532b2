import logging
import sys

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    """Commands set up logging for their whole process: the next test starts without."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    for name, module in list(sys.modules.items()):  # loggers that were used keep that set-up
        if name.startswith("opensip.") and (log := getattr(module, "log", None)) is not None:
            getattr(log, "__dict__", {}).pop("bind", None)
