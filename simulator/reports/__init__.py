"""A city in numbers: cameras, events, and the reports they cause, with the truth beside them.

Nothing is drawn. What an event does to a camera or a caller comes from `CityAssumptions`, which
deliberately need not be what fusion assumes: who only fits a generator of his own fits nothing.
"""

from simulator.reports.assumptions import STRESS, VARIATIONS, CityAssumptions
from simulator.reports.city import NumericCity, make_city
from simulator.reports.files import read_truth, write_city
from simulator.reports.truth import TrueEvent

__all__ = [
    "STRESS",
    "VARIATIONS",
    "CityAssumptions",
    "NumericCity",
    "TrueEvent",
    "make_city",
    "read_truth",
    "write_city",
]
