"""ONVIF: what a camera offers, asked of the camera itself, so that nobody types stream addresses.

`ask_camera` reads its profiles, chooses the one to register and asks where the camera points;
`discover` calls into the local network. Only ever the host that was
named is asked, through the address guard: the addresses that a camera gives of itself are taken for
their paths.
"""

from camera_ingest.onvif.asking import ask_camera
from camera_ingest.onvif.client import OnvifClient
from camera_ingest.onvif.discovery import Found, discover
from camera_ingest.onvif.heads import HeadReader
from camera_ingest.onvif.nouns import Answers, OnvifCamera, Profile, PtzPosition, best_profile

__all__ = [
    "Answers",
    "Found",
    "HeadReader",
    "OnvifCamera",
    "OnvifClient",
    "Profile",
    "PtzPosition",
    "ask_camera",
    "best_profile",
    "discover",
]
