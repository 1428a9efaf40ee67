"""Which IP addresses belong to the public internet. It resolves no name and opens nothing."""

from __future__ import annotations

import ipaddress

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
OTHERS = (ipaddress.ip_network("fec0::/10"),  # site-local, RFC 3879: deprecated, still routed inside some houses
          ipaddress.ip_network("3fff::/20"))  # documentation, RFC 9637
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_forbidden(address: str) -> bool:
    """Whether an IP address is not one of the public internet: private, loopback, link-local, multicast, reserved.

    IPv4 addresses inside IPv6 ones (mapped, 6to4, Teredo, NAT64) are judged by the IPv4 address (RFC 6890, RFC 6052).
    """
    try:
        ip: IpAddress = ipaddress.ip_address(address)
    except ValueError:
        return True
    inner: list[IpAddress] = [ip]
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in OTHERS):
            return True
        inner += [part for part in (ip.ipv4_mapped, ip.sixtofour) if part is not None]
        inner += list(ip.teredo) if ip.teredo else []
        if ip in NAT64:
            inner = [ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)]
        elif ip.ipv4_mapped is not None:
            inner = [ip.ipv4_mapped]
    return any(not part.is_global or part.is_multicast or part.is_reserved or part.is_unspecified for part in inner)
