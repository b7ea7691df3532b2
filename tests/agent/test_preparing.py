import asyncio

import pytest

from opensip.agent.preparing import prepare
from opensip.errors import ProviderError


class Opens:
    def __init__(self, error=None):
        self.error, self.opened = error, False

    async def prepare(self):
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        self.opened = True


@pytest.mark.parametrize("error", [ProviderError("gone"), OSError("gone"), TimeoutError()])
def test_one_that_fails_keeps_no_other_from_getting_ready(error):
    first, last = Opens(error), Opens()
    asyncio.run(prepare([first, object(), last]))
    assert last.opened
