"""Incidents and cameras in other systems' formats. Pure: nouns in, documents out, no I/O.

None of them holds a camera's address or credentials; operators' notes go into EIDO only.
"""
