"""What differs from trunk to trunk: the record of a trunk, and the table of carriers."""

from collections.abc import Mapping

from opensip.carriers.bandwidth import BANDWIDTH
from opensip.carriers.carrier import Carrier
from opensip.carriers.trunk import ANY_NUMBER, Number, Trunk

GENERIC = Carrier("generic")

CARRIERS: Mapping[str, Carrier] = {carrier.name: carrier for carrier in (GENERIC, BANDWIDTH)}

__all__ = ["ANY_NUMBER", "CARRIERS", "Carrier", "Number", "Trunk"]
