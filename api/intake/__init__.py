"""What phones, networks and other call centres send by themselves: AML over HTTPS and by SMS, and
PIDF-LO.

A reader for each form (`aml_form`, `aml_sms`, `pidf_lo`) makes a `readings.Reading` of the bytes:
positions, what the caller is known by, and what is wrong. Readers are pure and total: whatever the
bytes are, they return. `taking` then stores the message as it came, and its positions if they may
be believed. Nothing that came in is dropped because it could not be understood.
"""
