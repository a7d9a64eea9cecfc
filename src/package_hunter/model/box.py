"""What the box and its gateway agree on (docs/architecture.md, The box)."""

from __future__ import annotations

HOME = "/home/dev"
USER = "dev"

BOX_V4 = "10.88.0.2"
BOX_V6 = "fd88::2"
GATEWAY_V4 = "10.88.0.1"
GATEWAY_V6 = "fd88::1"

TCP_PORT = 8001  # where nft TPROXY brings every TCP connection of the box
UDP_PORT = 8002  # and every datagram, DNS too
