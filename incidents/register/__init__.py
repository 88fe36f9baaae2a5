"""The cameras: register, import, calibrations, and the clips that were kept of them."""
