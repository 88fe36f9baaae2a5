"""One module a resource; who may use which route stands in `api.access`."""

from fastapi import APIRouter

from api.routes import (
    aml,
    audit,
    calibration,
    calls,
    cameras,
    cap,
    config,
    console,
    coverage,
    detections,
    eido,
    evidence,
    exports,
    feed,
    incidents,
    keys,
    log,
    messages,
    ogc,
    operations,
    pidf_lo,
    reports,
    session,
    users,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    users.router,
    keys.router,
    audit.router,
    reports.router,
    config.router,
    cameras.router,
    calibration.router,
    coverage.router,
    calls.router,
    aml.router,
    pidf_lo.router,
    messages.router,
    # Before the incidents, whose ids would take these endings in.
    cap.router,
    eido.router,
    exports.router,
    incidents.router,
    ogc.router,
    detections.router,
    log.router,
    evidence.router,
    feed.router,
    operations.router,
    # Last: it takes every address that is left.
    console.router,
)
