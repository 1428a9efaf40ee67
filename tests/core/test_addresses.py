"""Public and other addresses."""

from __future__ import annotations

import pytest

from catalyst.core.addresses import is_forbidden


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "::1", "::", "fc00::1", "fe80::1%1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "no address"])
def test_addresses_that_are_not_public(address: str) -> None:
    """Private, special and disguised addresses are forbidden."""
    assert is_forbidden(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8",
                                     "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    """Public addresses are not forbidden."""
    assert not is_forbidden(address)
