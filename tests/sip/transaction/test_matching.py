from opensip.sip.transaction import TransactionKey
from opensip.sip.transaction.matching import key_of_request, key_of_response, merge_key
from tests.fakes.sip_exchange import answer_to, make_request

OLD = "SIP/2.0/UDP 192.0.2.1:5060"


def test_branch_sent_by_and_method_make_the_key():
    key = key_of_request(make_request("BYE", branch="z9hG4bKx"))
    assert key == TransactionKey("server", "z9hG4bKx", "BYE", "192.0.2.1:5060")


def test_an_ack_has_the_key_of_its_invite():
    assert key_of_request(make_request("ACK")) == key_of_request(make_request("INVITE"))
    assert key_of_request(make_request("CANCEL")) != key_of_request(make_request("INVITE"))


def test_case_of_sent_by_does_not_count():
    one = make_request(via="SIP/2.0/UDP Host.Example;branch=z9hG4bKx")
    other = make_request(via="SIP/2.0/UDP host.example;branch=z9hG4bKx")
    assert key_of_request(one) == key_of_request(other)


def test_two_peers_may_use_one_branch():
    other = make_request(via="SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKone")
    assert key_of_request(other) != key_of_request(make_request())


def test_without_the_cookie_the_rules_of_rfc_2543_hold():
    for via in (OLD, OLD + ";branch=1", OLD + ";branch=z9hG4bK"):
        invite = key_of_request(make_request(via=via))
        assert key_of_request(make_request(via=via)) == invite
        assert key_of_request(make_request("ACK", via=via, to_tag="to1")) == invite
        cancel = key_of_request(make_request("CANCEL", via=via))
        assert cancel._replace(method="INVITE") == invite
        for other in (
            make_request(via=via, cseq=2),
            make_request(via=via, call_id="call2"),
            make_request(via=via, from_tag="from2"),
            make_request(via=via, uri="sip:carol@192.0.2.2"),
            make_request(via=via.replace("5060", "5061")),
        ):
            assert key_of_request(other) != invite


def test_a_response_is_matched_by_branch_and_cseq_method():
    response = answer_to(make_request("CANCEL", branch="z9hG4bKx"), 200)
    assert key_of_response(response) == TransactionKey("client", "z9hG4bKx", "CANCEL")


def test_copies_of_a_request_have_one_merge_key():
    copy = make_request(branch="z9hG4bKtwo")
    assert merge_key(make_request()) == merge_key(copy)
    assert merge_key(make_request(cseq=2)) != merge_key(copy)
    assert merge_key(make_request(to_tag="to1")) is None
