"""A synthetic city: scenes drawn through calibrated cameras, served over RTSP, with callers."""
