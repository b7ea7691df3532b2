"""How one port comes to its keys by DTLS: who may speak, the handshake, its timers, its end."""

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from opensip.media.beside import is_dtls
from opensip.media.dtls import DtlsCertificate, DtlsHandshake, is_client_hello
from opensip.media.engine import Address, Beside, SrtpKeys
from opensip.rtp.ice_lite import IceLite
from opensip.rtp.stun import is_stun
from opensip.sdp.fingerprint import DtlsPeer, OwnDtls
from opensip.sdp.ice import IcePeer
from opensip.sdp.offer_answer import Negotiated

PATIENCE = 15.0  # seconds from the agreement to keys, ICE included; nobody waits longer in silence
AGAIN = 1.0  # seconds until a handshake that broke is begun anew
# Seconds between the first ClientHellos: ours comes before the answer that lets the peer look.
HELLOS = (0.05, 0.1, 0.2, 0.4)
MOST_EARLY = 4  # datagrams kept until the answer says whose they are: checks, and a ClientHello


class Keying:
    """The DTLS of one port of a session.

    `send` sends a datagram; `keyed` is called whenever `keys` or `remote` have changed, `failed`
    with the reason why there will be none. `random` gives that many bytes.
    """

    def __init__(
        self,
        *,
        certificate: DtlsCertificate,
        send: Callable[[bytes, Address], None],
        keyed: Callable[[], None],
        failed: Callable[[str], None],
        random: Callable[[int], bytes],
    ) -> None:
        self.keys: SrtpKeys | None = None
        self.dropped: Counter[str] = Counter()
        self._certificate = certificate
        self._random = random
        self._ufrag, self._password = _token(random(6)), _token(random(18))
        self._tls_id = _token(random(18))
        self._send, self._keyed, self._failed = send, keyed, failed
        self._peer: DtlsPeer | None = None
        self._told: Address | None = None  # where the peer is by its SDP
        self._remote_ice: IcePeer | None = None
        self._ice: IceLite | None = None
        self._before: IceLite | None = None  # the restart: good until the peer has nominated anew
        self._moves = False  # by the restart, another association with it: the old way leads astray
        self._owed = False  # another association is agreed on than the one that `keys` are of
        self._stay: Address | None = None  # where the peer is by that one, meanwhile
        self._mux = True
        self._early: list[Beside] = []
        self._first_hello = b""  # of the peer's, in this association
        self._handshake: DtlsHandshake | None = None
        self._done: DtlsHandshake | None = None  # whose keys are in use while another goes on
        self._hello: list[bytes] = []  # our first datagrams, while nothing came back
        self._greeted = 0
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._broken = ""

    @property
    def own(self) -> OwnDtls:
        """What descriptions of ours say."""
        role = self._peer.role if self._peer is not None else ""
        return OwnDtls(
            self._certificate.fingerprint,
            self._ufrag,
            self._password,
            role,
            self._mux,
            self._tls_id,
        )

    @property
    def remote(self) -> Address | None:
        """Where the peer's media is: with `keys`, until another association has its own."""
        return self._way if self._stay is None else self._stay

    @property
    def _way(self) -> Address | None:
        """Where the peer is: by its checks where it does ICE, else as its SDP says."""
        if self._ice is None:
            return self._told
        if self._before is not None and not self._moves and not self._ice.nominated:
            return self._before.remote
        return self._ice.remote

    @property
    def sources(self) -> frozenset[Address]:
        """Where the peer's datagrams come from: by its SDP, and where checks proved it to be."""
        told = [self._told] if self._told is not None else []
        known = (ice for ice in (self._ice, self._before) if ice is not None)
        return frozenset(told).union(*(ice.sources for ice in known))

    def renew(self, agreed: Negotiated) -> bool:
        """Make new what an answer of ours must not repeat; tell whether anything was.

        A peer that restarts its ICE gets other credentials of ours too (RFC 8445 section 9), and
        one that wants another association another name of it (RFC 8842 section 5.3).
        """
        restarts, another = self._restarts(agreed.ice), self._is_another(agreed.dtls)
        if restarts:
            self._ufrag, self._password = _token(self._random(6)), _token(self._random(18))
        if another:
            self._tls_id = _token(self._random(18))
        return restarts or another

    def agree(self, agreed: Negotiated, told: Address | None) -> None:
        """Follow offer and answer: the association stays where the peer does (RFC 8842).

        Where it does not, the one that stands is good until the other has finished. `told` is
        where the peer is by its SDP.
        """
        changed = self._peer is None or self._is_another(agreed.dtls)
        moved = told != self._told and agreed.ice is None
        stay = self.remote
        self._peer, self._told, self._mux = agreed.dtls, told, agreed.mux
        self._agree_ice(agreed.ice)
        self._moves = self._before is not None and (changed or self._moves)
        if changed:
            self._owed, self._stay = True, stay if self.keys is not None else None
            self._arm_deadline()
        if changed or (moved and self._handshake is not None):
            self._begin()
        early, self._early = self._early, []
        for beside in early:
            if is_stun(beside.data) or not agreed.dtls or not agreed.dtls.is_client:
                self.receive(beside)

    def receive(self, beside: Beside) -> None:
        """Take a datagram that came beside RTP; whatever it is, it ends no call."""
        if self._peer is None:
            self._keep_early(beside)
        elif is_stun(beside.data):
            self._take_check(beside)
        elif not self._admits(beside.source):
            self._drop("dtls_source")
        else:
            self._take_dtls(beside.data)

    def _keep_early(self, beside: Beside) -> None:
        """Keep what begins something: a peer is often faster than its own answer."""
        begins = is_stun(beside.data) or is_client_hello(beside.data)
        if begins and len(self._early) < MOST_EARLY:
            self._early.append(beside)
        else:
            self._drop("early")

    def statistics(self) -> dict[str, float]:
        """What was dropped, by name."""
        stun = self._ice.dropped if self._ice is not None else {}
        dtls = self._handshake.dropped if self._handshake is not None else {}
        counts = self.dropped + Counter(stun) + Counter(dtls)
        return {f"dropped_{why}": count for why, count in counts.items()}

    def close(self) -> None:
        """Stop the timers."""
        for timer in (self._timer, self._deadline):
            if timer is not None:
                timer.cancel()
        self._timer = self._deadline = None
        self._peer = self._stay = None
        self._early = []

    def forget(self) -> None:
        """Give up the association: keys come by another way now."""
        self.close()
        self.keys = None

    def _is_another(self, dtls: DtlsPeer | None) -> bool:
        """Tell whether this is not the peer of our association; some do not name theirs."""
        known = self._peer
        if known is None or dtls is None:
            return False
        if not (known.tls_id and dtls.tls_id):
            return replace(dtls, tls_id=known.tls_id) != known
        return dtls != known

    # ---- ICE

    def _restarts(self, ice: IcePeer | None) -> bool:
        known = self._remote_ice
        if ice is None or known is None:
            return False
        return (ice.ufrag, ice.password) != (known.ufrag, known.password)

    def _agree_ice(self, ice: IcePeer | None) -> None:
        restarts, self._remote_ice = self._restarts(ice), ice
        if ice is None or ice.lite:  # two that wait for checks use their default addresses
            self._ice = self._before = None
        elif self._ice is None or restarts:
            if self._ice is not None and (self._ice.nominated or self._before is None):
                self._before = self._ice
            self._ice = IceLite(self._ufrag, self._password, ice.ufrag)

    def _take_check(self, beside: Beside) -> None:
        if self._ice is None:
            self._drop("stun_unasked")
            return
        way, place = self._way, self.remote
        old = self._before if not self._ice.nominated else None
        meant = old if old is not None and old.knows(beside.data) else self._ice
        answer = meant.receive(*beside)
        if answer is not None:
            self._send(answer, beside.source)
        if self._way != way:
            self._pump()  # the ClientHello may have waited for this
        if self.remote != place and self.keys is not None:
            self._keyed()

    def _admits(self, source: Address) -> bool:
        """Tell whether a handshake may come from there: else anybody could begin one."""
        if self._ice is None:
            return source == self._told
        return self._ice.admits(source) or source == self._way

    # ---- DTLS

    def _begin(self) -> None:
        if self._peer is None:
            return
        if self._handshake is not None:
            self.dropped.update(self._handshake.dropped)
            if self._handshake.keys is not None:
                self._done = self._handshake
        self._handshake = DtlsHandshake(
            self._certificate, self._peer.fingerprints, is_client=self._peer.is_client
        )
        self._hello, self._greeted = self._handshake.datagrams_to_send(), 0
        self._first_hello = b""
        self._pump()

    def _take_dtls(self, data: bytes) -> None:
        if not is_dtls(data) or self._peer is None or self._handshake is None:
            self._drop("dtls_malformed")
            return
        if is_client_hello(data) and not self._peer.is_client:
            if self._handshake.keys is not None and data == self._first_hello:
                self._drop("dtls_repeated")  # the network's copy begins nothing anew
                return
            if self._handshake.keys is not None:
                self._begin()  # the old keys are good until the peer has shown its certificate
            self._first_hello = self._first_hello or data
        elif self._done is not None:
            self._remind(self._done, data)
        if self._greeted:
            self._hello = []
        self._handshake.receive(data)
        self._pump()

    def _remind(self, done: DtlsHandshake, data: bytes) -> None:
        """Let the association that stands say its last flight again to a peer that lost it."""
        done.receive(data)
        if (to := self.remote) is not None:
            for datagram in done.datagrams_to_send():
                self._send(datagram, to)

    def _pump(self) -> None:
        """Send what waits, and act on what the handshake came to."""
        handshake, to = self._handshake, self._way
        if handshake is None or to is None:
            return
        if self._hello and not self._greeted:
            self._greet(to)
        for datagram in handshake.datagrams_to_send():
            self._send(datagram, to)
        if handshake.refusal and self._owed:
            self._fail(handshake.refusal)
        elif handshake.refusal:  # somebody else begins anew: the call goes on with its keys
            self._drop("dtls_refused")
            self._arm(AGAIN, self._begin)
        elif handshake.broken:
            self._broken = handshake.broken
            self._drop("dtls_broken")
            self._arm(AGAIN, self._begin)
        else:
            self._take_keys(handshake)
            self._arm_timeout(handshake)

    def _take_keys(self, handshake: DtlsHandshake) -> None:
        if handshake.keys is None or handshake.keys == self.keys:
            return
        self._hello = []
        if self._moves:
            self._before = None
        self.keys, self._done, self._owed, self._stay = handshake.keys, None, False, None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._keyed()

    def _greet(self, to: Address) -> None:
        for datagram in self._hello:
            self._send(datagram, to)
        self._greeted += 1

    def _arm_timeout(self, handshake: DtlsHandshake) -> None:
        if self._hello and self._greeted <= len(HELLOS):
            self._arm(HELLOS[self._greeted - 1], self._greet_again)
        elif (seconds := handshake.timeout) is not None:
            self._arm(seconds, self._send_again)

    def _greet_again(self) -> None:
        if self._hello and self._way is not None:
            self._greet(self._way)
        self._pump()

    def _send_again(self) -> None:
        self._hello = []
        if self._handshake is not None:
            self._handshake.handle_timeout()
        self._pump()

    # ---- timers and ends

    def _arm(self, seconds: float, act: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)

    def _arm_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        why = f"no keys by DTLS within {PATIENCE:g} s"
        if self._ice is not None and self._ice.remote is None:
            why += ": no ICE check proved itself"
        elif self._broken:
            why += f": {self._broken}"
        self._fail(why)

    def _fail(self, why: str) -> None:
        self.forget()
        self._failed(why)

    def _drop(self, why: str) -> None:
        self.dropped[why] += 1


def _token(random: bytes) -> str:
    """Write octets as ice-char (RFC 8839 section 5.4), of which base64 is made."""
    return base64.b64encode(random).decode()
