from opensip.sip.dialog import Dialog
from opensip.sip.peer_offer import PeerOffer
from opensip.sip.transaction.matching import key_of_request
from tests.fakes.sip_exchange import make_request


def test_it_is_answered_once():
    commands = []
    dialog = Dialog.as_uas(make_request(), local_tag="ours", contact="<sip:bob@192.0.2.2>")
    offer, update = PeerOffer(dialog, commands.append), make_request("UPDATE", to_tag="ours")
    offer.respond(200)
    assert commands == []
    offer.begin(key_of_request(update), update)
    assert offer.is_open
    offer.respond(200, headers=[("Allow", "BYE")], body=b"answer")
    offer.respond(488)
    (command,) = commands
    assert command.key == key_of_request(update)
    assert (command.response.status, command.response.body) == (200, b"answer")
    assert command.response.contact is not None
    assert not offer.is_open
