"""Behind `siaga train`: pictures to committed weights.

Only this folder imports torch and ultralytics (the `train` extra), and each module does so inside
functions or behind `detection.training.environment.require`, so that importing it without the extra
fails with advice and not a traceback. The order of work: `sources` lists the pictures, `split`
holds scenes back, `degrade` makes photographs look like CCTV, `detector` and `flood` train,
`export` writes OpenVINO, `publish` calibrates, measures and writes `detection/models/`.
"""
