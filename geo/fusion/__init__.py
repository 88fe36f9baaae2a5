"""Reports into incidents: one incident per event, with a probability, a region and a reason.

Every piece of evidence (a camera's track, a call) says what it saw, when, and where, as Gaussian
mixtures. A set of evidence is scored by the odds that one event explains it against each being
clutter (`scoring`); the partition of the evidence into incidents is changed where that raises the
sum of ``log(1 + odds)`` (`partition`). Distance and time gates are consequences, not constants.
"""

from geo.fusion.fusion import Fusion
from geo.fusion.parameters import FusionParameters

__all__ = ["Fusion", "FusionParameters"]
