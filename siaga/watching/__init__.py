"""A worker: its share of the cameras, from the streams to detections, clips and live view."""
