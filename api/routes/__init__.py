"""One module a resource; who may use which route stands in `api.access`."""

from fastapi import APIRouter

from api.routes import (
    aml,
    calls,
    cameras,
    config,
    console,
    detections,
    evidence,
    feed,
    incidents,
    log,
    messages,
    operations,
    pidf_lo,
    session,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    config.router,
    cameras.router,
    calls.router,
    aml.router,
    pidf_lo.router,
    messages.router,
    incidents.router,
    detections.router,
    log.router,
    evidence.router,
    feed.router,
    operations.router,
    # Last: it takes every address that is left.
    console.router,
)
