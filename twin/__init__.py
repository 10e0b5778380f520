"""The ground floor: places, assets, errors, settings, the database, the event outbox, jobs and blobs.

Imports nothing of ours; everything else imports it.
"""
