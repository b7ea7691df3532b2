from opensip.call import record
from opensip.call.target_books import TargetBooks
from opensip.events import Dtmf, MediaNegotiated, MediaStatistics, MediaTimedOut
from tests.call.test_call_out import DESK, call_out
from tests.fakes.legs import Noted


def test_the_media_of_a_target_stand_in_the_books_as_its_own(tmp_path):
    books = Noted()
    call_out(tmp_path, DESK, books=books)
    told = [event.event for event in books.of("target_media")]
    assert told == ["media_negotiated", "media_statistics"]
    assert not books.of("media_statistics")


def test_keys_of_a_target_are_nobodys_business():
    books = Noted()
    TargetBooks(books).note(Dtmf(1.0, "5", 100, "rfc4733"))
    assert not books.events


def test_a_record_has_them_beside_those_of_the_caller():
    books, made = Noted(), record.blank()
    record.take(made, {"kind": "transfer_started", "at": 1.0, "strategy": "bridge", "target": "x"})
    record.take(made, {"kind": "media_negotiated", "at": 0.5, "codec": "PCMU", "suite": ""})
    for event in (
        MediaNegotiated(2.0, "opus", "AEAD_AES_128_GCM", "a", "b"),
        MediaTimedOut(9.0, "silence", 15.0),
        MediaStatistics(10.0, {"received": 400}),
    ):
        TargetBooks(books).note(event)
        noted = books.events[-1]
        line = {"kind": noted.kind, "at": noted.at, "event": noted.event, "told": noted.told}
        record.take(made, line)
    [transfer] = made["transfers"]
    assert (transfer["codec"], transfer["suite"]) == ("opus", "AEAD_AES_128_GCM")
    assert transfer["media"] == {"received": 400}
    assert (made["codec"], made["media"]) == ("PCMU", {})
    assert made["faults"] == [{"at": 9.0, "side": "target", "phase": "silence", "seconds": 15.0}]
