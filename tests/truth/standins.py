"""What a sandbox has instead of other servers: Redis, MongoDB, mail, queues of tasks.

Part of ``served.py``, which runs under the Python of the application.
"""

# mypy: ignore-errors
from __future__ import annotations

import contextlib
import importlib
import time


def put_in_place():
    """Replaces the clients of other servers, of those libraries that the application has."""
    time.sleep = lambda seconds: None  # Nobody answers later where nobody answers.
    for stand_in in (mail, redis, mongo, motor, celery):
        with contextlib.suppress(ImportError):
            stand_in()


def mail():
    import smtplib

    class Taken:
        """Takes every letter."""

        def __init__(self, *args, **options):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *raised):
            return None

        def __getattr__(self, name):
            return lambda *args, **options: (250, b"taken")

    smtplib.SMTP = smtplib.SMTP_SSL = Taken


def redis():
    import fakeredis
    import redis as library

    for name in ("Redis", "StrictRedis"):
        setattr(library, name, getattr(fakeredis, f"Fake{name}"))
    library.from_url = fakeredis.FakeRedis.from_url
    with contextlib.suppress(ImportError, AttributeError):
        asynchronous = importlib.import_module("redis.asyncio")
        asynchronous.Redis = fakeredis.FakeAsyncRedis
        asynchronous.from_url = fakeredis.FakeAsyncRedis.from_url


def mongo():
    import mongomock
    import pymongo

    pymongo.MongoClient = mongomock.MongoClient


def motor():
    import mongomock_motor
    import motor.motor_asyncio

    def client(*args, **options):
        return mongomock_motor.AsyncMongoMockClient()

    motor.motor_asyncio.AsyncIOMotorClient = client


def celery():
    """A task that is put into a queue is done by nobody."""
    from celery.app.task import Task
    from celery.result import AsyncResult

    Task.apply_async = lambda self, *args, **options: AsyncResult("1")
