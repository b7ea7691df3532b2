from opensip.media.media_config import MediaConfig


def test_srtp_is_keyed_by_sdes_unless_told_otherwise():
    config = MediaConfig("127.0.0.1")
    assert (config.srtp, config.keying) == ("preferred", "sdes")
