import numpy as np
import pytest

from opensip.audio.codecs import G711

_engine = pytest.importorskip("opensip.media._engine", exc_type=ImportError)


@pytest.mark.parametrize("law", G711)
def test_every_code_and_every_sample_as_in_python(law):
    codes, samples = bytes(range(256)), np.arange(-32768, 32768).astype(np.int16)
    assert _engine.decode(law, codes) == G711[law].decode(codes).tobytes()
    assert _engine.encode(law, samples) == G711[law].encode(samples)
    assert _engine.encode(law, _engine.decode(law, codes)) == codes


def test_another_law_is_refused():
    with pytest.raises(ValueError, match="G722"):
        _engine.decode("G722", b"")
    with pytest.raises(ValueError, match="G722"):
        _engine.encode("G722", b"")
