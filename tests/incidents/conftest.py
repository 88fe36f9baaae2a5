from tests.incidents.forks import forks

__all__ = ["forks"]
