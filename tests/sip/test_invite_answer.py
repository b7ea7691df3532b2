from opensip.sip.invite_answer import InviteAnswer
from opensip.sip.timers import Timers
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Respond
from tests.fakes.sip_exchange import answer_to, make_request


def test_a_2xx_is_due_from_t1_doubling_up_to_t2():
    request = make_request(cseq=3, body=b"offer")
    key, response = key_of_request(request), answer_to(request, 200)
    answer = InviteAnswer(key, request, response, timers=Timers(), now=10)
    assert answer.command == Respond(key, response)
    assert (answer.cseq, answer.offered, answer.expire_at) == (3, False, 42)
    assert not answer.is_due(10.4)
    times = []
    while (at := answer.get_timer()) < answer.expire_at:
        assert answer.is_due(at)
        times.append(at - 10)
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_without_an_offer_in_the_invite_it_makes_one():
    request = make_request()
    response = answer_to(request, 200, body=b"offer")
    answer = InviteAnswer(key_of_request(request), request, response, timers=Timers(), now=0)
    assert answer.offered
