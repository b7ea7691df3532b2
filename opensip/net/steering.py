"""Two UDP sockets on one port: the kernel gives one to known networks, the other to everybody else.

However full strangers make theirs, what known peers send waits behind none of it. A classic BPF
program chooses by the source address (socket(7), SO_ATTACH_REUSEPORT_CBPF); it needs no privilege.
Linux only: elsewhere, one socket serves all.
"""

import ctypes
import errno
import socket
import struct
import sys
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

Network = IPv4Network | IPv6Network

SO_ATTACH_REUSEPORT_CBPF = 51  # asm-generic/socket.h; not named by Python
MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS

# Of linux/bpf_common.h and linux/filter.h: class, size and mode in one number
_LOAD_WORD, _AND, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_IP_HEADER = -0x100000  # SKF_NET_OFF: offsets count from there
_SOURCE = {4: 12, 6: 8}  # where the source address stands in the header of IP
_KNOWN, _STRANGERS = 0, 1  # which socket, in the order of their bind


def bind_datagrams(
    host: str, port: int, known: Sequence[Network] | None = None
) -> list[socket.socket]:
    """Bind a UDP socket; two of them where `known` networks are to have their own, the first.

    Done here, an OSError says why it failed, under every loop; two servers never share a port.
    """
    alone = _bind(host, port)
    if known is None or sys.platform != "linux":
        return [alone]
    name = alone.getsockname()
    alone.close()  # it was there to see that nobody else has the port
    bound = [_bind(host, name[1], shared=True)]
    try:
        bound.append(_bind(host, name[1], shared=True))
        steer(bound[0], known)
    except OSError:
        for sock in bound:
            sock.close()
        return [_bind(host, name[1])]  # a kernel that cannot: one serves all
    return bound


def steer(sock: socket.socket, known: Sequence[Network]) -> None:
    """Let both sockets of a port change whom they serve; raises OSError where that cannot be."""
    version = 6 if sock.family == socket.AF_INET6 else 4
    code = program(known, version)
    if len(code) > 8 * MAX_INSTRUCTIONS:
        raise OSError(errno.E2BIG, "too many networks for the kernel to tell apart")
    held = ctypes.create_string_buffer(code, len(code))
    filter_ = struct.pack("HP", len(code) // 8, ctypes.addressof(held))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, filter_)


def program(known: Sequence[Network], version: int) -> bytes:
    """Write the program: each network is compared word by word, and the first that fits ends it."""
    of_version = [network for network in known if network.version == version]
    code = b"".join(_compare(network) for network in collapse_addresses(of_version))  # type: ignore[type-var]  # all of one version
    return code + _instruction(_RETURN, _STRANGERS)


def _compare(network: Network) -> bytes:
    words = struct.unpack(f">{network.max_prefixlen // 32}I", network.network_address.packed)
    masks = struct.unpack(f">{network.max_prefixlen // 32}I", network.netmask.packed)
    code = _instruction(_RETURN, _KNOWN)
    for n in reversed(range(len(words))):  # from the end, to know how far a mismatch jumps
        if not masks[n]:
            continue
        load = _instruction(_LOAD_WORD, _IP_HEADER + _SOURCE[network.version] + 4 * n)
        mask = _instruction(_AND, masks[n])
        code = load + mask + _instruction(_JUMP_IF_EQUAL, words[n], no=len(code) // 8) + code
    return code


def _instruction(kind: int, operand: int, *, no: int = 0) -> bytes:
    return struct.pack("=HBBI", kind, 0, no, operand & 0xFFFFFFFF)


def _bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:  # so that "0.0.0.0" may stand beside "::" on one port
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
