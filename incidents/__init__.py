"""Incidents: their life cycle, the store that is the truth, and the service that runs fusion.

The store is one object with a small repository for each kind of thing::

    store = await Store.open(settings.database_url, clock)      # migrates; several may open at once
    store.listen(callback)            # callback(last log seq) after each commit of this process
    await store.snapshot()            # everything a reader starts from, with its place in the log

    store.reports    accept(bodies, actor=...) -> list[Accepted]    after(seq, limit)    by_id(id)
    store.calls      get(id)    recent(limit, before)
    store.messages   take(message, window)    take_call(bodies, key=...)    page(...)    sealed(id)
                     take_report(bodies, key=..., actor=...)    believe(...)    discard(id, ...)
    store.dead_letters  keep(letters)    newest(limit)    sealed(id)    remove(id, action=..., ...)
    store.incidents  get(id)    page(...)    act(id, action, actor=..., version=..., ...)
                     attach(id, attachment)    hold(id, is_held=..., ...)
    store.regrouping merge(id, other_id, ...)    split(id, camera_ids=..., call_ids=..., ...)
    store.units      all(agency)  get(id)  save(unit, ...)  report(id, position=...)  remove(id)
    store.dispatching  assign(id, agency, unit, ...)    progress(id, assignment, state, ...)
    store.shelves    put(...)  end(id)  since(when)    store.handovers  write(text, ...)  page(...)
    store.webhooks   add, change, remove, rotate; fill, due, settle; dead_letters, send_again
    store.log        after(seq, limit, LogFilter())    scan(...)    oldest_seq()    last_seq()
    store.cameras    all()  get(id)  save(camera, credentials, actor=..., version=...)  remove(...)
                     credentials(id)  healths()  record_health(health)  stream_sources()
    store.calibrations  record(...)  restore(...)  of(camera_id)
    store.accounts   ensure_first_account()  set_password()  check_password()  add()  all()
    store.sessions   open(username)  find(token)  end(token)
    store.keys       issue(name, role)  find(key)  revoke(name)  all()
    store.facts      incidents(span)  calls(span)  alarms(span): what reports are made of
    store.audit      record(*events)  page(...)  verify()  forget(subject)  prune(before)
    store.retention(settings, evidence).run()         forgets what is due
    store.fusion     the fusion service's own door: claim, apply, publish_pending, remember

`incidents.fusing.service` turns reports into incidents; `lifecycle`, `telling`, `enrichment`,
`cueing` and `mind` are its rules, without I/O.

Whoever commits tells the others by ``bus.wake(seq)``; `Store.listen` is the place to do it.

Errors are `incidents.errors`: `NotFound`, `VersionConflict` (carries the current noun),
`IllegalStep`, and `FencedOff` for a fusion writer that was replaced. A value that breaks a noun's
law is a `contracts.ContractError` with the field's name.
"""
